// The complaint about a command line.

/** Exit code 2; the message is one line for people. */
export class UsageError extends Error {}
