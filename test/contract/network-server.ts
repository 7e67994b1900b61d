// The servers that the network suites ask for, each of which a test makes for itself.

/** Answers whatever comes, except what the paths below are for. */
export type Server = (request: Request) => Response | Promise<Response>;

/** No connection can be made to an address that ends like this. */
export const REFUSED = '/refused';
/** A server that never answers is at an address that ends like this. */
export const SILENT = '/silent';
/** A server whose bodies come at `SLOW_BYTES_PER_SECOND` is at an address that ends like this. */
export const SLOW = '/slow';
export const SLOW_BYTES_PER_SECOND = 200;
