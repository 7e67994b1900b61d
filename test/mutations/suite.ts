// What a suite is proved with: for each of its rules lines of the project which, once broken, turn
// that rule red. A suite's list is data; who tries it is run.ts.

/** One line that is broken on purpose. */
export interface Mutation {
  /** The title of the test that has to notice. */
  readonly rule: string;
  /** From the checkout's root. */
  readonly file: string;
  /** What is there, exactly once. */
  readonly from: string;
  readonly to: string;
  /** A rule that holds all the same, instead of the suite's: what is broken is not everything. */
  readonly beside?: string;
}

/** Tests that run on several implementations, and the lines that prove them. */
export interface Suite {
  readonly name: string;
  /** Its test files, from the checkout's root. */
  readonly files: readonly string[];
  /** A describe() whose title begins like this is the suite, on one implementation. */
  readonly under: string;
  /** A rule that holds beside a broken line, where the mutation names no other one. */
  readonly beside: string;
  readonly mutations: readonly Mutation[];
}
