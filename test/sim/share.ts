// How much of an exhaustive simulation runs: all of it in `npm run test:sim`, an even share of it in `npm test`.

/** Every case is looked at. */
export const isWhole = process.env.KITSYNC_SIM === 'whole';

/** The step from one case to the next: 1, or where a share has to do `stride`. */
export function every(stride: number): number {
  return isWhole ? 1 : stride;
}
