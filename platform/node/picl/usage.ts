// The two ways in which an inspection cannot be made. The messages are one line for people, and
// never hold a key or a token.

/** It cannot be run as it was typed, or with the files that it names: exit code 2. */
export class UsageError extends Error {}

/** It could be run, and the server did not answer: exit code 1. */
export class Failure extends Error {}
