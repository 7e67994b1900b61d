// The part of the WebAssembly JavaScript Interface that the emulator uses. TypeScript declares it
// only together with the browser's DOM, which nothing here may use.

declare namespace WebAssembly {
  type Exports = Record<string, unknown>;
  type Imports = Record<string, Record<string, unknown>>;

  class Global<T extends 'i32' | 'i64'> {
    private constructor();
    value: T extends 'i64' ? bigint : number;
  }

  class Instance {
    private constructor();
    readonly exports: Exports;
  }

  /** Thrown when code traps. */
  class RuntimeError extends Error {}

  function compile(bytes: Uint8Array): Promise<Module>;
  function instantiate(module: Module, imports: Imports): Promise<Instance>;
}
