/** Rules for the JavaScript of the page and of the client: ESLint's own recommendations, and what keeps a module small and readable. */

import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "complexity": ["error", 12],
      "eqeqeq": "error",
      "max-lines": ["error", 300],
      "max-lines-per-function": ["error", 60],
      "max-params": ["error", 6],
      "no-implicit-coercion": ["error", { boolean: false }],
      "no-shadow": "error",
      "no-unused-vars": ["error", { args: "all", ignoreRestSiblings: true }],
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
    },
  },
  { ignores: ["**/clients/typescript/dist/**"] },
  // Where both browsers and Node.js run; types check what a global is.
  { files: ["**/clients/typescript/src/**/*.js"], languageOptions: { globals: globals["shared-node-browser"] } },
  {
    files: ["**/clients/typescript/tests/**/*.js"],
    languageOptions: { globals: globals.node },
    rules: { "no-unused-vars": ["error", { args: "all", argsIgnorePattern: "^_", varsIgnorePattern: "^_" }] },
  },
  { files: ["**/examples/offline/*.js"], languageOptions: { globals: { ...globals.browser, ...globals.serviceworker } } },
  { files: ["**/service/page/js/**/*.js", "**/service/http/reference/static/*.js"], languageOptions: { globals: globals.browser } },
];
