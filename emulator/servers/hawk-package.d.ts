// The part of the `hawk` package that the tests use: it brings no types.

declare module 'hawk' {
  interface Credentials {
    readonly id: string;
    readonly key: string;
    readonly algorithm: 'sha256';
  }

  /** What was signed, before it is a header. */
  type Artifacts = Readonly<Record<string, string | number | undefined>>;

  export const client: {
    header(
      url: string,
      method: string,
      options: {
        credentials: Credentials;
        timestamp?: number;
        nonce?: string;
        payload?: string;
        contentType?: string;
        ext?: string;
        app?: string;
        dlg?: string;
      },
    ): { header: string; artifacts: Artifacts };
    /** Looks at what an answer proves. Throws for what it does not. */
    authenticate(
      answer: { headers: Readonly<Record<string, string>> },
      credentials: Credentials,
      artifacts: Artifacts,
    ): { headers: Readonly<Record<string, Readonly<Record<string, string>>>> };
  };

  /** Why the server takes a request for nobody's. */
  export interface HawkRefusal extends Error {
    readonly output: {
      readonly statusCode: number;
      readonly headers: Readonly<Record<string, string>>;
    };
  }

  export const server: {
    /** Rejects with a `HawkRefusal`. */
    authenticate(
      request: import('node:http').IncomingMessage,
      credentialsOf: (id: string) => Omit<Credentials, 'id'> | null,
      options: {
        payload?: string;
        localtimeOffsetMsec?: number;
        nonceFunc?: (key: string, nonce: string, ts: string) => Promise<void>;
      },
    ): Promise<{ artifacts: Artifacts }>;
  };
}
