const path = require("node:path");
const { getDefaultConfig, mergeConfig } = require("@react-native/metro-config");

const client = process.env.CLIENT; // the package as npm would install it

module.exports = mergeConfig(getDefaultConfig(__dirname), {
  watchFolders: [client],
  resolver: {
    useWatchman: false,
    extraNodeModules: { "@inkseek/client": client },
    nodeModulesPaths: [path.join(__dirname, "node_modules")],
  },
  maxWorkers: 1,
});
