/** Bundles app.js for Android, as a release of a React Native application, into the file of the first argument. */

const Metro = require("metro");

async function main(out) {
  const config = await Metro.loadConfig({ config: `${__dirname}/metro.config.js` });
  await Metro.runBuild(config, { entry: "app.js", platform: "android", dev: false, minify: false, out });
}

main(process.argv[2]).catch((error) => {
  console.error(error);
  process.exit(1);
});
