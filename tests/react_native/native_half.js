/**
 * What an application has beside JavaScript, for an engine that can only print: each request is printed and answered from
 * ANSWERS, which whoever runs this extends after each run. Everything above, XMLHttpRequest and fetch among it, is React Native's own.
 */

const kept = new Map(); // bodies by the id of their blob
let asked = 0;

function emit(name, values) {
  require("react-native/Libraries/EventEmitter/RCTDeviceEventEmitter").default.emit(name, values);
}

const Networking = {
  addListener() {},
  removeListeners() {},
  abortRequest() {},
  sendRequest(method, url, id, headers, data, responseType) {
    const answer = globalThis.ANSWERS[asked++];
    if (!answer) {
      print(JSON.stringify({ request: { method, url, headers, data } }));
      return;
    }
    setImmediate(() => {
      const type = answer.headers["content-type"];
      kept.set(`blob-${id}`, answer);
      emit("didReceiveNetworkResponse", [id, answer.status, answer.headers, url]);
      const body = responseType === "blob" ? { blobId: `blob-${id}`, offset: 0, size: answer.size, type } : answer.text;
      emit("didReceiveNetworkData", [id, body]);
      emit("didCompleteNetworkResponse", [id, "", false]);
    });
  },
};

const modules = {
  Networking,
  PlatformConstants: { getConstants: () => ({ isTesting: true, reactNativeVersion: { major: 0, minor: 88, patch: 1 } }) },
  BlobModule: {
    getConstants: () => ({ BLOB_URI_SCHEME: "content", BLOB_URI_HOST: null }),
    addNetworkingHandler() {},
    createFromParts() {},
    release() {},
  },
  FileReaderModule: { readAsText: async ({ blobId }) => kept.get(blobId).text },
};

globalThis.nativeModuleProxy = modules;
