// How much a cipher is given at once: a batch is what a device works on in one call.

/** A cipher gets at most so many items, and so much of them unless one alone is longer. */
const itemsMax = 64;
const unitsMax = 16 * 1024;

/** The items in their order, in batches; `unitsOf` says how long one is. */
export function* batches<Item>(
  items: readonly Item[],
  unitsOf: (item: Item) => number,
): Generator<readonly Item[]> {
  let from = 0;
  let units = 0;
  for (const [at, item] of items.entries()) {
    const itemUnits = unitsOf(item);
    if (at > from && (at - from === itemsMax || units + itemUnits > unitsMax)) {
      yield items.slice(from, at);
      from = at;
      units = 0;
    }
    units += itemUnits;
  }
  if (from < items.length) yield items.slice(from);
}
