/** How loud the microphone is, as a bar: who sees it move knows that the sound arrives. */

const EVERY_MS = 80;
const FLOOR_DB = -50;

export class Level {
  #element;
  #context = null;
  #source = null;
  #analyser = null;
  #muted = false;

  /** `element` is given the style property `--level`, 0 to 1. */
  constructor(element) {
    this.#element = element;
    setInterval(() => this.#show(), EVERY_MS);
  }

  listen(track) {
    this.#context ??= new AudioContext();
    this.#context.resume().catch(() => undefined);
    this.#source?.disconnect();
    this.#analyser ??= new AnalyserNode(this.#context, { fftSize: 1024 });
    this.#source = this.#context.createMediaStreamSource(new MediaStream([track]));
    this.#source.connect(this.#analyser);
  }

  mute(muted) {
    this.#muted = muted;
  }

  #show() {
    if (document.hidden) return;
    const loud = this.#muted || !this.#analyser ? 0 : loudness(this.#analyser);
    this.#element.style.setProperty("--level", loud.toFixed(3));
  }
}

function loudness(analyser) {
  const samples = new Float32Array(analyser.fftSize);
  analyser.getFloatTimeDomainData(samples);
  const power = samples.reduce((sum, value) => sum + value * value, 0) / samples.length;
  const db = 10 * Math.log10(power + 1e-9);
  return Math.min(1, Math.max(0, 1 - db / FLOOR_DB));
}
