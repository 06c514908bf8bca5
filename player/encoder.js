/** What to type into OBS. */

import { h, icon, setText } from "./dom.js";
import { expiryWords } from "./expiry.js";

const ADVICE = [
  ["Service", "Custom\u2026"],
  ["Rate control", "CBR"],
  ["Bitrate", "4000\u20136000 Kbps"],
  ["Keyframe interval", "2 s"],
  ["Preset", "veryfast (x264) or P4 (NVENC)"],
  ["Profile", "high"],
  ["Tune", "zerolatency, or none"],
  ["Output resolution", "1280\u00d7720, or 720\u00d71280 for a portrait show"],
  ["Frame rate", "30"],
  ["Audio", "AAC, 48 kHz, 128\u2013160 Kbps"],
];

export class Encoder {
  #server = copyField("Server", "");
  #expiry = h("p", { className: "hint", hidden: true });

  /** `key` is the stream key when this tab knows it, else null. */
  constructor(channel, key) {
    this.element = h(
      "div",
      { className: "encoder" },
      h("p", { className: "hint" }, "In OBS: Settings, Stream. Then Settings, Output."),
      this.#server,
      key
        ? copyField("Stream key", key, { secret: true })
        : h(
            "p",
            { className: "hint" },
            "The stream key was shown once, when the channel was made. A new one: ",
            h("code", {}, `vitrine channel rotate-key ${channel}`),
          ),
      this.#expiry,
      h("dl", { className: "readings" }, ...ADVICE.map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value)))),
    );
  }

  /** Tell the server's address, as the server itself gave it. */
  setServer(url) {
    this.#server.querySelector("input").value = url;
  }

  /** Tell until when the stream key is good; null for a key without an end. Answers a warning. */
  setExpiry(expiresAt) {
    const words = expiryWords(expiresAt, Date.now());
    this.#expiry.hidden = words === null;
    this.#expiry.className = words?.near ? "hint key-near" : "hint";
    setText(this.#expiry, words?.text ?? "");
    return words?.near ? words.text : null;
  }
}

function copyField(label, value, { secret = false } = {}) {
  const field = h("input", { type: secret ? "password" : "text", readOnly: true, value, "aria-label": label, autocomplete: "off" });
  field.addEventListener("focus", () => field.select());
  const copied = h("span", { className: "unseen", role: "status" });
  const copy = h("button", { type: "button", className: "tool", "aria-label": `Copy ${label.toLowerCase()}`, title: "Copy" }, icon("copy"));
  copy.addEventListener("click", async () => {
    const done = await copyText(field);
    copy.replaceChildren(icon(done ? "check" : "copy"));
    setText(copied, done ? "Copied" : "Select the text and copy it");
    setTimeout(() => copy.replaceChildren(icon("copy")), 1_500);
  });
  const reveal = secret && h("button", { type: "button", className: "tool", "aria-label": "Show the stream key", "aria-pressed": "false" }, icon("eye"));
  reveal?.addEventListener?.("click", () => {
    const hidden = field.type === "password";
    field.type = hidden ? "text" : "password";
    reveal.setAttribute("aria-pressed", String(hidden));
  });
  return h("div", { className: "copy" }, h("span", { className: "copy-label" }, label), h("span", { className: "copy-line" }, field, reveal || null, copy), copied);
}

/** The clipboard needs a secure context, which a dock on plain HTTP is not: then select. */
async function copyText(field) {
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    const { type } = field;
    field.type = "text";
    field.focus();
    field.select();
    const done = document.execCommand("copy");
    field.type = type;
    return done;
  }
}
