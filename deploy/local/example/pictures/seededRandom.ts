/** Numbers in [0, 1) that look random and are the same at every run: a linear congruential generator, modulo 2³². */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
