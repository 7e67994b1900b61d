// The part of the `hawk` package that the tests use: it brings no types.

declare module 'hawk' {
  export const client: {
    header(
      url: string,
      method: string,
      options: {
        credentials: { id: string; key: string; algorithm: 'sha256' };
        timestamp?: number;
        nonce?: string;
        payload?: string;
        contentType?: string;
        ext?: string;
      },
    ): { header: string };
  };
}
