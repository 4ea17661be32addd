import { fileURLToPath } from "node:url";
import type { NextConfig } from "next";

const config: NextConfig = {
  poweredByHeader: false,
  // The client is linked from the same repository; a shop that has installed the package needs no root.
  turbopack: { root: fileURLToPath(new URL("../..", import.meta.url)) },
};

export default config;
