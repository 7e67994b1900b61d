// How much of an exhaustive simulation runs: an even share of it in `npm test`, all of it in `npm
// run test:sim`, but of what takes longest: `npm run test:old-stores`.

/** Every case is looked at, but of those that take processes of their own. */
export const isWhole = process.env.KITSYNC_SIM === 'whole' || process.env.KITSYNC_SIM === 'all';
const isAll = process.env.KITSYNC_SIM === 'all';

/**
 * The step from one case to the next: 1, or where a share has to do `stride`. `simStride`: of those
 * that would take `npm run test:sim` too long.
 */
export function every(stride: number, simStride = 1): number {
  if (isAll) return 1;
  return isWhole ? simStride : stride;
}
