// The version of tnet: that of package.json, which a compiled executable does not have beside it.
export const VERSION = '0.1.0'
