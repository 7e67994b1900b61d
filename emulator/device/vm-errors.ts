// What a virtual machine's end is, and what its program throws.
//
// A machine is killed, for good, when
//  - memory: an allocation was refused, its own or one of the host's on its behalf. What the
//    program made of the refusal does not matter: it reaches the host no more, and the call in
//    progress ends in `VmKilled`.
//  - cpu: one slice executed more instructions than `sliceOpsMax`.
//  - trap: the engine itself failed.

type KillReason = 'memory' | 'cpu' | 'trap';

/** The machine is dead; every further call throws the same error. */
export class VmKilled extends Error {
  override readonly name = 'VmKilled';
  readonly reason: KillReason;

  constructor(reason: KillReason, cause?: unknown) {
    super(`the virtual machine was killed: ${reason}`, { cause });
    this.reason = reason;
  }
}

/** The program threw and did not catch; the machine lives on. */
export class VmError extends Error {
  override readonly name = 'VmError';
  /** Where in the program, as QuickJS writes it; empty for what is not an Error. */
  readonly vmStack: string;

  constructor(message: string, vmStack: string) {
    super(message);
    this.vmStack = vmStack;
  }
}
