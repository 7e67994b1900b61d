// Members that never leave the program: no host, server, app or flash gets or gives an object that
// has them, so a firmware calls them by names of a character or two, which are bytes of the file
// and heap of the device. Whatever JSON may hold has no place here: what the device sets
// (config.ts, limits.ts), what is stored in whatever form, what crosses the bridge, what is of a
// wire; a name that the program has as a text has none either. members.test.ts holds that.

/** The most used first: these have the shortest names. */
const NAMES =
  `local store mirror platform clock nowMs saved serverNowMs tries abort run entropy emit envelope
  send sessions outgoing chars deviceNowMs update take waitMs lock upload staged moved writes
  check ask bodyBytes things fetch view quarantine incoming isEmpty states letter isOver newId
  stores owner fork jobs lastError nextSeq knownMs buried member beside addressPrefix isResuming
  failedInRow evictable waitedMs indexed prepare keyName current offer arm authorize isLeaving
  deletion observes deleting standing nextPage decrypts indexes fingerprint argument company
  signOut matches giveUp sealed wanted forget shell major ownId judge noted write told wipe nonce
  isUnknownForm addCharsMax refreshMeta pendingIds mirrorIds complaint timeSeconds depthMax
  dueInMs settled columns codec heard isLost addMax others parsed seenMs single vault thing isOwn
  power hold self poll job refreshKeys takeString takeScalar keysModifiedMs devicesMemory
  fingerprints deletionIds isDeletion withParked lastPassMs decryption encryption isFull startOver
  timetable isRunning bundleFor ofDevices isSettled writtenMs isChanged arrivals keepMeta
  evaluate drivers recount hasNext context claimed release reading writing recheck verdict aheadMs
  second places isDupe around driver spread wireId idHint proven isOpen inner outer unite known
  rest task need look peek skip identityOf reserved chosen making`.split(/\s+/);

/** Those that are often in a script first, without the names of one letter that it has itself. */
const LETTERS = 'etarlioscdufhwmpgbvzjqABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** By a member's name, what a firmware calls it. */
export const shortMembers: Readonly<Record<string, string>> = Object.fromEntries(
  NAMES.map((name, at) => [name, shortName(at)]),
);

function shortName(at: number): string {
  const round = Math.floor(at / LETTERS.length);
  return `${LETTERS[at % LETTERS.length]}${round > 0 ? '_$0123'[round - 1] : ''}`;
}
