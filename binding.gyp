{
  "target_defaults": {
    "cflags": ["-O2", "-Wall", "-Wextra", "-fstack-protector-strong"],
    "defines": ["_FORTIFY_SOURCE=2"]
  },
  "targets": [
    {
      "target_name": "tnet",
      "sources": ["addon/tnet.cc"],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_DISABLE_DEPRECATED", "NAPI_DISABLE_CPP_EXCEPTIONS", "_GNU_SOURCE"],
      "cflags_cc": ["-std=c++20", "-fno-exceptions", "-fvisibility=hidden", "-ffunction-sections"],
      "ldflags": ["-static-libstdc++", "-static-libgcc", "-Wl,-z,relro,-z,now,--exclude-libs,ALL,--gc-sections"]
    },
    {
      "target_name": "launcher",
      "type": "executable",
      "sources": ["addon/launcher.c", "addon/standby.c"],
      "cflags": ["-ffreestanding", "-fno-stack-protector", "-fno-builtin", "-fno-pie", "-U_FORTIFY_SOURCE"],
      "ldflags": ["-static", "-nostdlib", "-no-pie", "-Wl,--build-id=none"],
      "ldflags!": ["-pthread", "-rdynamic"]
    }
  ]
}
