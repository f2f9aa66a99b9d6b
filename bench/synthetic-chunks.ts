const DIMENSIONS = 384;
/** Real embeddings lie near a space of far fewer dimensions than they have, and in groups. */
const LATENT = 48;
const GROUPS = 1_000;
const SPREAD = 0.6;
const NOISE = 0.02;
const SENTENCES_PER_CHUNK = 8;

/** Vectors and texts that behave like real ones, the same in every run. */
export class SyntheticChunks {
  private readonly random = sequence(2026);
  private readonly projection = Array.from({ length: LATENT }, () => this.normals(DIMENSIONS));
  private readonly centres = Array.from({ length: GROUPS }, () => this.normals(LATENT));
  private readonly sentences: readonly string[];

  /** @param texts what sentences are taken from. */
  constructor(texts: readonly string[]) {
    this.sentences = texts.flatMap((text) => text.split(/(?<=[.?!])\s+/)).filter((sentence) => sentence.length > 20);
  }

  /** A unit vector near the centre of some group. */
  vector(): Float32Array {
    const centre = this.centres[Math.floor(this.random() * GROUPS)]!;
    const vector = new Float32Array(DIMENSIONS);
    for (let axis = 0; axis < LATENT; axis += 1) {
      const weight = centre[axis]! + SPREAD * this.normal();
      const direction = this.projection[axis]!;
      for (let at = 0; at < DIMENSIONS; at += 1) vector[at]! += weight * direction[at]!;
    }
    for (let at = 0; at < DIMENSIONS; at += 1) vector[at]! += NOISE * this.normal() * LATENT;
    const length = Math.hypot(...vector);
    return vector.map((value) => value / length);
  }

  /** Some 200 tokens of real sentences, drawn from anywhere. */
  text(): string {
    const draw = (): string => this.sentences[Math.floor(this.random() * this.sentences.length)]!;
    return Array.from({ length: SENTENCES_PER_CHUNK }, draw).join(' ');
  }

  private normals(count: number): Float32Array {
    return Float32Array.from({ length: count }, () => this.normal());
  }

  /** Box and Muller. */
  private normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.random())) * Math.cos(2 * Math.PI * this.random());
  }
}

/** A fixed sequence of numbers in [0, 1): the linear congruential generator of Numerical Recipes. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
}
