// Two versions of a contact's card become one. What a card may have once (a name, a birthday) is a
// field: the side that changed it, and where both did, the younger change. All else is a set of
// properties: what either side added is there, what either side removed is not, and a property
// that one side changed and the other removed stays. Pure.

import {
  type Card,
  isLabel,
  isSameList,
  isSameProperty,
  type Property,
  propertyKey,
} from './contact-card.ts';

/** What a card has once. In other languages it may be there again: the list is the field then. */
const SINGLE = [
  ...['fn', 'n', 'sort-string', 'kind', 'uid', 'gender', 'bday', 'anniversary', 'deathdate'],
  ...['birthplace', 'deathplace', 'class', 'mailer', 'prodid', 'rev'],
];

const NONE: Card = new Map();

/**
 * `base`: what both were made of; null: nothing is known of that, and each side has added what it
 * has. The order is that of `theirs`, then of what only `mine` has.
 */
export function mergeCards(
  mine: Card,
  base: Card | null,
  theirs: Card,
  isMineYounger: boolean,
): Card {
  const ours = withFreeGroups(mine, base ?? NONE, theirs);
  const merged = new Map<string, readonly Property[]>();
  for (const name of new Set([...theirs.keys(), ...ours.keys()])) {
    const [own, old, other] = [ours, base ?? NONE, theirs].map((card) => card.get(name) ?? []);
    const list = SINGLE.includes(name)
      ? mergeField(own, old, other, isMineYounger)
      : mergeSet(name, [own ?? [], old ?? [], other ?? []], isMineYounger);
    if (list !== undefined && list.length > 0) merged.set(name, list);
  }
  return withoutOrphans(merged, [ours, theirs]);
}

type List = readonly Property[];

function mergeField(
  own: List = [],
  old: List = [],
  other: List = [],
  isMineYounger: boolean,
): List {
  if (isSameList(own, old)) return other;
  if (isSameList(other, old)) return own;
  if (own.length === 0) return other;
  return other.length === 0 || isMineYounger ? own : other;
}

function mergeSet(name: string, sides: readonly List[], isMineYounger: boolean): List {
  const [ours, agreed, others] = sides.map((list) => byKey(name, list));
  const merged: Property[] = [];
  for (const key of new Set([...(others?.keys() ?? []), ...(ours?.keys() ?? [])])) {
    const [own, old, other] = [ours?.get(key), agreed?.get(key), others?.get(key)];
    const isTheirs = isSameProperty(own, old) || (own === undefined && !isSameProperty(other, old));
    const isMine = isSameProperty(other, old) || other === undefined || isMineYounger;
    const property = isTheirs || !isMine ? other : own;
    if (property !== undefined) merged.push(property);
  }
  return merged;
}

/** A card may say the same twice: the second time is another property. */
function byKey(name: string, list: List): Map<string, Property> {
  const counts = new Map<string, number>();
  return new Map(
    list.map((property) => {
      const key = propertyKey(name, property);
      const count = counts.get(key) ?? 0;
      counts.set(key, count + 1);
      return [`${count} ${key}`, property];
    }),
  );
}

/**
 * `mine` with other names for the groups that it has made and `theirs` has made for other
 * properties: both sides count `item1`, `item2` on from the same.
 */
function withFreeGroups(mine: Card, base: Card, theirs: Card): Card {
  const [own, old, other] = [mine, base, theirs].map(groupsIn);
  const renamed = new Map<string, string>();
  let last = 0;
  for (const [group, members] of own ?? []) {
    const taken = other?.get(group);
    if (old?.has(group) || !taken || [...members].some((key) => taken.has(key))) continue;
    do last++;
    while ([own, old, other].some((groups) => groups?.has(`item${last}`)));
    renamed.set(group, `item${last}`);
  }
  if (renamed.size === 0) return mine;
  const inGroup = (property: Property): Property => {
    const group = renamed.get(property.group?.toLowerCase() ?? '');
    return group === undefined ? property : { ...property, group };
  };
  return new Map([...mine].map(([name, list]) => [name, list.map(inGroup)]));
}

/** By group, what is in it but labels. */
function groupsIn(card: Card): Map<string, Set<string>> {
  const groups = new Map<string, Set<string>>();
  for (const [name, list] of card) {
    for (const property of list) {
      if (property.group === undefined) continue;
      const group = property.group.toLowerCase();
      const members = groups.get(group) ?? new Set();
      groups.set(group, members);
      if (!isLabel(name)) members.add(`${name} ${propertyKey(name, property)}`);
    }
  }
  return groups;
}

/** Without labels of what is gone; one that labelled nothing where it came from stays. */
function withoutOrphans(card: Card, sides: readonly Card[]): Card {
  const groups = groupsIn(card);
  const before = sides.map((side) => ({ labels: labelsIn(side), groups: groupsIn(side) }));
  const isOrphan = (name: string, label: Property): boolean => {
    const group = label.group?.toLowerCase() ?? '';
    if (groups.get(group)?.size !== 0) return false;
    const from = before.filter(({ labels }) =>
      labels.get(`${name} ${group}`)?.some((one) => isSameProperty(one, label)),
    );
    return from.every((one) => one.groups.get(group)?.size !== 0);
  };
  const kept = [...card].flatMap(([name, list]): [string, List][] => {
    const rest = isLabel(name) ? list.filter((property) => !isOrphan(name, property)) : list;
    return rest.length > 0 ? [[name, rest]] : [];
  });
  return new Map(kept);
}

/** By name and group: a group may have several of a name. */
function labelsIn(card: Card): Map<string, Property[]> {
  const labels = new Map<string, Property[]>();
  for (const [name, list] of card) {
    if (!isLabel(name)) continue;
    for (const label of list) {
      const key = `${name} ${label.group?.toLowerCase() ?? ''}`;
      const known = labels.get(key);
      if (known === undefined) labels.set(key, [label]);
      else known.push(label);
    }
  }
  return labels;
}
