// The few WebAssembly instructions that the memory cap is written in, by name. A piece of code is a
// list of bytes and of smaller pieces; `assemble` makes a function of it. Checks nothing: the host
// validates the module that comes out.

import { emptyBlock, Op, signed, unsigned, ValueType } from './binary.ts';
import type { Body } from './module.ts';

export type Code = readonly (number | Code)[];

export const get = (local: number): Code => [Op.localGet, unsigned(local)];
export const set = (local: number): Code => [Op.localSet, unsigned(local)];
export const tee = (local: number): Code => [Op.localTee, unsigned(local)];
export const read = (global: number): Code => [Op.globalGet, unsigned(global)];
export const write = (global: number): Code => [Op.globalSet, unsigned(global)];
export const constant = (value: number): Code => [Op.i32Const, signed(value)];
export const load = (address: Code, offset = 0): Code => [address, Op.i32Load, 2, unsigned(offset)];
export const store = (address: Code, offset: number, value: Code): Code => [
  [address, value],
  [Op.i32Store, 2, unsigned(offset)],
];
export const call = (f: number, ...args: Code): Code => [args, Op.call, unsigned(f)];
export const leaveWith = (...value: Code): Code => [value, Op.return];
export const add = (a: Code, b: Code): Code => [a, b, Op.i32Add];
export const subtract = (a: Code, b: Code): Code => [a, b, Op.i32Sub];
export const equal = (a: Code, b: Code): Code => [a, b, Op.i32Eq];
export const not = (a: Code): Code => [a, Op.i32Eqz];
/** Compares unsigned numbers. */
export const greater = (a: Code, b: Code): Code => [a, b, Op.i32GtU];
export const when = (condition: Code, ...code: Code): Code => [
  [condition, Op.if, emptyBlock],
  [code, Op.end],
];

/** A function body with i32 locals beside its parameters. */
export function assemble(locals: number, ...code: Code): Body {
  return {
    locals: locals > 0 ? [[locals, ValueType.i32]] : [],
    code: Uint8Array.from(flatten([code, Op.end])),
  };
}

/** The bytes of a piece of code. */
export function flatten(code: Code): number[] {
  return code.flatMap((part) => (typeof part === 'number' ? [part] : flatten(part)));
}
