// What curves cost: a key agreement, a signature, a check. In the emulated device's engine, in pure
// JavaScript: P-256 as crypto/ has it, Curve25519 as tweetnacl has it, since crypto/ has none; and
// on this computer by Node.js. No device computes them for us: its port has no curves. Instructions
// are the same at every run, times are this machine's.

import { createECDH, diffieHellman, generateKeyPairSync, sign, verify } from 'node:crypto';
import { build } from 'esbuild';
import { createVm, type Vm } from '../../emulator/device/vm.ts';

interface CurveCost {
  readonly operation: string;
  readonly instructions: number;
  readonly longestSlice: number;
  /** The median of a hundred. */
  readonly nodeMicroseconds: number;
}

export async function* curveCosts(): AsyncGenerator<CurveCost> {
  const { outputFiles } = await build({
    stdin: { contents: PROGRAM, resolveDir: import.meta.dirname, loader: 'ts' },
    ...{ bundle: true, minify: true, write: false, format: 'iife', globalName: 'curves' },
    ...{ target: 'es2020', platform: 'neutral', mainFields: ['main'] },
    define: { require: 'undefined' },
  });
  const script = outputFiles[0]?.text ?? '';
  for (const [operation, byNode] of Object.entries(BY_NODE)) {
    const cost = await costOf(script, operation);
    yield { operation, ...cost, nodeMicroseconds: medianMicroseconds(byNode) };
  }
}

/** Each begins, and says with `answer` that it has ended; a pause waits for `next`. */
const PROGRAM = `
  import nacl from 'tweetnacl';
  import { ecdh, ecPublicKey } from '../../crypto/p256.ts';
  const key = new Uint8Array(32).fill(5);
  const message = new Uint8Array(1024).fill(7);
  let resume, other, pair, signature, answer;
  const pause = () => new Promise((resolve) => { resume = resolve; });
  const keep = (value) => { answer = value ? 'done' : 'wrong'; };
  export const prepare = () => {
    pair = nacl.sign.keyPair.fromSeed(key);
    signature = nacl.sign.detached(message, pair.secretKey);
    ecPublicKey(new Uint8Array(32).fill(9), pause).then((jwk) => { other = jwk; keep(true); });
  };
  export const begin = (name) => { answer = undefined; works[name](); };
  const works = {
    p256PublicKey: () => ecPublicKey(key, pause).then(keep),
    p256Agree: () => ecdh(key, other, pause).then(keep),
    x25519Agree: () => keep(nacl.scalarMult(key, pair.publicKey)),
    ed25519Sign: () => keep(nacl.sign.detached(message, pair.secretKey)),
    ed25519Verify: () => keep(nacl.sign.detached.verify(message, signature, pair.publicKey)),
  };
  export const next = () => { if (resume) resume(); };
  export const take = () => answer ?? '';
`;

const SLICE_OPS_MAX = 10e9;
const CAP_BYTES = 4 * 1024 * 1024;

async function costOf(script: string, operation: string) {
  const vm = await createVm({ capBytes: CAP_BYTES, sliceOpsMax: SLICE_OPS_MAX });
  vm.release(vm.evaluate(script, 'curves.js'));
  finish(vm, 'prepare');
  vm.resetSlices();
  const before = vm.meter().instructions;
  finish(vm, 'begin', operation);
  const { instructions, longestSlice } = vm.meter();
  return { instructions: instructions - before, longestSlice };
}

/** Gives the engine its turns until it has answered. Throws where the answer is wrong. */
function finish(vm: Vm, name: string, ...args: string[]): void {
  call(vm, name, ...args);
  for (;;) {
    const answer = call(vm, 'take');
    if (answer === 'done') return;
    if (answer !== '') throw new Error(`${name} ${args.join(' ')}: ${answer}`);
    call(vm, 'next');
  }
}

function call(vm: Vm, name: string, ...args: string[]): string {
  const called = vm.evaluate(`curves.${name}`, 'call.js');
  const result = vm.call(called, args);
  const text = vm.toText(result);
  vm.release(result);
  vm.release(called);
  return text;
}

const MESSAGE = Buffer.alloc(1_024, 7);
const KEY = Buffer.alloc(32, 5);
const x25519 = generateKeyPairSync('x25519');
const ed25519 = generateKeyPairSync('ed25519');
const signature = sign(null, MESSAGE, ed25519.privateKey);
const p256 = createECDH('prime256v1');
p256.setPrivateKey(KEY);
const other = createECDH('prime256v1').generateKeys();

const BY_NODE: { readonly [operation: string]: () => unknown } = {
  p256PublicKey: () => createECDH('prime256v1').setPrivateKey(KEY),
  p256Agree: () => p256.computeSecret(other),
  x25519Agree: () => diffieHellman(x25519),
  ed25519Sign: () => sign(null, MESSAGE, ed25519.privateKey),
  ed25519Verify: () => verify(null, MESSAGE, ed25519.publicKey, signature),
};

function medianMicroseconds(work: () => unknown): number {
  const times = Array.from({ length: 100 }, () => {
    const fromMs = performance.now();
    work();
    return (performance.now() - fromMs) * 1_000;
  });
  return times.sort((a, b) => a - b)[50] ?? 0;
}
