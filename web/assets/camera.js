// The camera of a station: the browser's own reader of barcodes where it has one, else ours. iPhones have none.
window.camera = async (eye, own, send) => {
  "use strict";
  const shut = () => { eye.srcObject?.getTracks().forEach((t) => t.stop()); eye.srcObject = null; eye.hidden = true; };

  // reader answers what to ask for the code that the camera sees.
  async function reader() {
    if ("BarcodeDetector" in window) {
      const detector = new BarcodeDetector();
      return async () => (await detector.detect(eye))[0]?.rawValue;
    }
    if (!window.ZXingWASM) await new Promise((onload, onerror) => document.head.append(Object.assign(document.createElement("script"), { src: own.reader, onload, onerror })));
    await ZXingWASM.prepareZXingModule({ overrides: { locateFile: () => own.wasm }, fireImmediately: true });
    const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    return async () => {
      const k = Math.min(1, 1280 / (eye.videoWidth || 1)), w = Math.round(eye.videoWidth * k), h = Math.round(eye.videoHeight * k);
      if (!w || !h) return "";
      Object.assign(pen.canvas, { width: w, height: h });
      pen.drawImage(eye, 0, 0, w, h);
      return (await ZXingWASM.readBarcodes(pen.getImageData(0, 0, w, h), { maxNumberOfSymbols: 1 }))[0]?.text;
    };
  }

  if (eye.srcObject) { shut(); return; }
  try { eye.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } }); } catch { throw { say: "The camera may not be used here." }; }
  eye.hidden = false;
  let look, last = "", at = 0;
  try { await eye.play(); look = await reader(); } catch (e) { shut(); throw e; }
  while (eye.srcObject) {
    const code = await look().catch(() => "");
    if (code && eye.srcObject && (code !== last || Date.now() - at > 2000)) { last = code; at = Date.now(); send(code); }
    await new Promise((ok) => setTimeout(ok, 150));
  }
};
