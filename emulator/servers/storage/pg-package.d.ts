// The part of the `pg` package that is used: it brings no types.

declare module 'pg' {
  interface Query {
    /** Prepared once for each connection. */
    readonly name?: string;
    readonly text: string;
    readonly values?: readonly unknown[];
    readonly rowMode: 'array';
  }

  export interface PoolClient {
    query(query: Query): Promise<{ readonly rows: readonly (readonly unknown[])[] }>;
    query(text: string): Promise<unknown>;
    /** True: the connection is of no use any more. */
    release(isBroken?: boolean): void;
    on(event: 'error', listener: (error: Error) => void): void;
    removeListener(event: 'error', listener: (error: Error) => void): void;
  }

  export class Pool {
    constructor(options: {
      readonly connectionString: string;
      readonly max: number;
      readonly connectionTimeoutMillis?: number;
      readonly idleTimeoutMillis?: number;
      readonly application_name?: string;
    });
    connect(): Promise<PoolClient>;
    on(event: 'error', listener: (error: Error) => void): void;
    end(): Promise<void>;
  }

  const pg: { readonly Pool: typeof Pool };
  export default pg;
}
