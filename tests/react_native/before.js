// The bare engine has no clock to wait by: whatever is to wait does so for ever, which makes runs equal.
const soon = globalThis.setTimeout;
globalThis.global = globalThis;
globalThis.performance = { now: () => Date.now() };
globalThis.setTimeout = (run, ms) => (ms > 0 ? 0 : soon(run));
globalThis.clearTimeout = () => {};
