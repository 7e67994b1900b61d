// Every bound of the agent in one place, each with its unit and its reason.
// A bound that a device may change is in config.ts and starts from here.

/**
 * Of the characters of a record as the server sends it, what is not the sealed text: id, times, IV,
 * MAC, and the names of members with their quotes.
 */
export const ENVELOPE_CHARS = 400;
/** What of these is the payload's own: IV, MAC, three names. */
export const PAYLOAD_FRAME_CHARS = 125;

/** What is in memory at a time: bounds that only the size of a heap gives. */
export interface HeapLimits {
  /**
   * Records of one storage commit: enough to make flash pages full. The port allows 1,024 changes.
   */
  readonly batchRecordsMax: number;
  /** Characters of envelopes held before a batch is worked off, whatever their number. */
  readonly batchCharsMax: number;
  /** Records of one request. */
  readonly pushRecordsMax: number;
  /** Characters of the sealed payloads of one request: it is in memory three times on its way. */
  readonly pushCharsMax: number;
  /** The same of a request whose answer has its payloads again. */
  readonly echoCharsMax: number;
  /** Characters and changes of a commit that takes one record after the other. */
  readonly commitCharsMax: number;
  readonly commitChangesMax: number;
  /**
   * Memory of a record's body, in bytes for each character of `recordCharsMax`. Lists of visits,
   * tabs and children take up to 4 at full length; a text of nothing but brackets would take 34.
   */
  readonly charBytesMax: number;
  /** Changes of one upload that is committed as a whole: their ids are held. */
  readonly stagedMax: number;
}

/** For a heap of 1 MiB; a configuration may give more. */
export const SMALL_HEAP: HeapLimits = {
  batchRecordsMax: 50,
  batchCharsMax: 30_000,
  pushRecordsMax: 25,
  pushCharsMax: 24_000,
  echoCharsMax: 16_384,
  commitCharsMax: 24_000,
  commitChangesMax: 400,
  charBytesMax: 5,
  stagedMax: 1_000,
};

/** Characters of record text that are parsed and merged before the device gets a turn. */
export const SLICE_CHARS_MAX = 6_000;

/** What looking a record up and writing it count for among them, however short it is. */
export const RECORD_CHARS = 100;
export const COMMIT_CHARS = 1_500;

/** Characters of an answer that are taken apart at once; then the device gets a turn. */
export const PIECE_CHARS_MAX = 8_192;

/** Bytes, or characters, of a piece of a body that goes up: as much as the network port takes. */
export const BODY_PIECE_MAX = 16_384;

/**
 * Records asked for per page. A page is streamed, so this bounds what a broken page repeats, not
 * memory.
 */
export const PAGE_RECORDS_MAX = 1_000;

/**
 * Marks of records that were set aside, per collection. Past that they are reported and not
 * remembered, but for those that the device holds another version of.
 */
export const QUARANTINE_MAX = 1_000;

/** Pages of one listing; past that the server's paging is a loop. 10^7 records. */
export const PAGES_MAX = 10_000;

/**
 * What a local change has for `tries` while its conflict waits for somebody to decide: it is not
 * sent. More than any count of tries, and short where it is stored.
 */
export const UNDECIDED_TRIES = 1_000_000;

/** Characters of a small document (hello, an error, a batch answer without bodies). */
export const DOCUMENT_CHARS_MAX = 262_144;

/** Objects, lists and members of such a document: each takes some hundred bytes of heap. */
export const DOCUMENT_VALUES_MAX = 2_000;

/** `{` and `[` open at once in any document of a server. Firefox's own records need 4. */
export const JSON_DEPTH_MAX = 32;

/**
 * How long one exchange may take. Silent: 180 s, as in Gaia, for a slow server behind a slow link.
 * The lowest rate is 14 bytes a second, a hundredth of the slowest link that is left (GPRS, 2 KB/s,
 * with stalls of minutes): what is slower is no link. An hour is 7 MB over that one; what a page
 * has brought by then is kept, and the next pass asks for the rest.
 */
export const EXCHANGE_LIMITS = {
  timeoutMs: 180_000,
  windowMs: 300_000,
  windowBytesMin: 4_096,
  longestMs: 3_600_000,
};

/** A request that carries something may stay silent longer: its way up has 1 KB/s at least. */
export const UPLOAD_MS_PER_CHAR = 1;

/**
 * A pass that has waited for the server so long since the last record that came or went is given
 * up: at 1 KB/s the longest record takes a quarter of it.
 */
export const STALL_MS_MAX = 30 * 60_000;

/**
 * A pass that has not ended by then is given up, so that another can begin: a port that never
 * answers, or a reaction that an engine without memory has lost, would hold up all that follow. The
 * longest first sync takes a few hours, and the next pass would go on where it was.
 */
export const PASS_MS_MAX = 12 * 3_600_000;

/**
 * Who signs out waits so long for the pass that is running to come to its next step; one that hangs
 * in the network is given up. What that loses was to go anyway.
 */
export const GIVE_UP_MS = 2_000;

/**
 * The device may take so long to say its key: a sign-out may wait for it twice, behind who was
 * about to open the store, and for its own farewell.
 */
export const DEVICE_KEY_MS_MAX = 20_000;

/** The system's account manager may take so long to forget who was signed in. */
export const FORGET_MS_MAX = 20_000;

/** Signing out waits so long for the server to hear of it: somebody is waiting for the screen. */
export const FAREWELL_MS_MAX = 10_000;

/**
 * No time on a server's word is later than the year 3000: a cursor that far ahead would see nothing
 * any more.
 */
export const STAMP_MS_MAX = 32_503_680_000_000;

/** Shortest and longest wait that any answer of a server can impose. */
export const WAIT_MS_MIN = 1_000;
export const WAIT_MS_MAX = 24 * 3_600_000;

/** Own backoff after failures: doubles from the first to the second (Firefox: 15 min to 8 h). */
export const BACKOFF_MS_FIRST = 60_000;
export const BACKOFF_MS_LAST = 8 * 3_600_000;

/** A record id in storage, in printable ASCII characters. */
export const ID_CHARS_MAX = 64;

/** Rounds of pull and push in one pass: each new one is caused by somebody else's write. */
export const ROUNDS_MAX = 4;

/**
 * Rounds that are refused for news which are not there: the first may have been a batch that the
 * server had lost.
 */
export const FUTILE_ROUNDS_MAX = 2;

/** Tries of one outgoing record (in separate passes) before it is parked and reported. */
export const PUSH_TRIES_MAX = 3;

/**
 * Changes in a row that a server does not take for now, before an upload gives up: each may cost it
 * six requests.
 */
export const FAILED_IN_ROW_MAX = 8;

/**
 * A payload up to this fits every server: when it alone fails, that is an outage and no try of the
 * record.
 */
export const PAYLOAD_SAFE_CHARS = 16_384;

/** Ids of local changes that are listed at a time. */
export const PUSH_IDS_MAX = 100;

/** A change that a server has refused is tried again after so long. */
export const PARKED_RECHECK_MS = 24 * 3_600_000;

/** Fetch, merge, push of one record that somebody else keeps changing. */
export const CONFLICT_ROUNDS_MAX = 3;

/** A record of this device on the wire: what every server takes (256 KiB, an old default). */
export const WRITTEN_CHARS_MAX = 262_144;

/** Visits of one page that go to the server: Firefox sends its newest 20. */
export const VISITS_UP_MAX = 20;

/**
 * Records that one call of the local API may return, and characters of their JSON; one record
 * always fits.
 */
export const LIST_MAX = 1_000;
export const LIST_CHARS_MAX = 65_536;

/**
 * Time between scheduled passes that a user may choose: shorter is a burden to the server, longer
 * no timer counts.
 */
export const INTERVAL_MS_MIN = 60_000;
export const INTERVAL_MS_MAX = 7 * 24 * 3_600_000;

/**
 * A pass that is due and has no network that it may use looks again so often, if nobody says that
 * there is one.
 */
export const NETWORK_RECHECK_MS = 15 * 60_000;

/**
 * After a boot, and when a network is back that a pass was waiting for, scheduled passes wait a
 * random part of this. Ten million televisions whose power returns at once are 17,000 passes a
 * second then, not 335,000 (`npm run bench -- fleet`); a device is up for longer than that. A
 * device's configuration may say otherwise.
 */
export const SPREAD_MS = 600_000;

/**
 * An interval is longer by a random part of this share of it: after ten passes, devices are spread
 * over all of it.
 */
export const INTERVAL_SPREAD = 0.1;

/** After a local change, a sync waits this long for more changes. */
export const CHANGE_DELAY_MS = 10_000;

/** A read-only answer of the server is believed this long before a write is tried again. */
export const READ_ONLY_RECHECK_MS = 24 * 3_600_000;

/** Collections that are made at run time, of one remote: each is asked about in every pass. */
export const MADE_COLLECTIONS_MAX = 64;

/**
 * A setting with its name, in UTF-8 bytes of JSON: as much as browsers let an extension keep under
 * one key. Its name, and that of its app, in UTF-16 units: the longest part of a URL that is used.
 */
export const SETTING_BYTES_MAX = 8_192;
export const SETTING_NAME_CHARS_MAX = 256;

/** An article's addresses and titles, in UTF-16 units: as Firefox's reading list had them. */
export const ARTICLE_URL_CHARS_MAX = 2_048;
export const ARTICLE_TITLE_CHARS_MAX = 1_024;

/**
 * What an app may keep in collections of its own, all of them together: collections, records, and
 * bytes of their JSON in UTF-8. A device's configuration may say otherwise. A record of many apps
 * is on the flash of every device; all records of an app are counted before it writes one.
 */
export const APP_QUOTA = { collectionsMax: 8, recordsMax: 2_000, bytesMax: 2_097_152 };

/** An app's name for a collection, and the longest origin, in UTF-16 units. */
export const APP_NAME_CHARS_MAX = 64;
export const APP_ORIGIN_CHARS_MAX = 300;

/**
 * What a repository says of one web app, in UTF-8 bytes of its JSON: servers of such repositories
 * take no longer one. Levels of lists and objects in it: two less than in a record. The kind of
 * device that has installed it, in UTF-16 units.
 */
export const APP_ENTRY_BYTES_MAX = 65_536;
export const APP_ENTRY_DEPTH_MAX = 30;
export const APP_DEVICE_CHARS_MAX = 64;
/** Apps of the system that are listed at a time: as many as the port gives. */
export const SYSTEM_APPS_MAX = 100;

/**
 * UTF-16 units of an app's origin that the system can have: the port's limit. A longer one is kept,
 * and not installed.
 */
export const SYSTEM_ORIGIN_CHARS_MAX = 200;

/** Apps that have changed, by name; past that all of them are looked at. */
export const CHANGED_APPS_MAX = 200;

/**
 * What the system could not do is tried again after so long, which doubles from the first to the
 * second.
 */
export const SYSTEM_WAIT_MS_FIRST = 60_000;
export const SYSTEM_WAIT_MS_LAST = 3_600_000;

/** The system's apps are given up waiting for after so long, and twice that at most. */
export const SYSTEM_ANSWER_MS_MAX = 60_000;

/** Apps in a row that the system cannot install for now, before it is left alone for a while. */
export const SYSTEM_FAILURES_MAX = 8;
