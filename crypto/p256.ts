// ECDH over the curve P-256 (FIPS 186-4 D.1.2.3, SP 800-56A 5.7.1.2): what a sign-in needs to
// receive a key that nobody between the sender and this device can read. Needs BigInt (ES2020). One
// addition formula serves every pair of points, equal ones and infinity too (Renes, Costello,
// Batina, "Complete addition formulas for prime order elliptic curves", 2015), and every bit of a
// secret costs the same two of it. The time of a BigInt operation still depends a little on its
// numbers: a key pair is for one sign-in, never for a machine that others measure.

import { decodeBase64, decodeHex, encodeBase64, encodeHex } from './bytes.ts';
import { CryptoError } from './error.ts';

/** A public key as a JWK (RFC 7518 6.2.1): 32 bytes of base64url each. */
export interface EcPublicKey {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
}

/** Lets the device do other work and resolves in a later turn. */
export type Pause = () => Promise<void>;

/**
 * The public key that belongs to a private key of 32 random bytes. Throws `CryptoError`
 * `badEntropy` when the bytes are no private key, which happens once in 2^32 times.
 */
export async function ecPublicKey(privateKey: Uint8Array, pause: Pause): Promise<EcPublicKey> {
  const [x, y] = await affine(await multiply(privateKey, generator, pause), pause);
  return { kty: 'EC', crv: 'P-256', x: encodeBase64(x, 'url'), y: encodeBase64(y, 'url') };
}

/**
 * The 32 bytes that only the owners of the two keys can compute: the X coordinate of their product.
 * Null when `peer` is no public key of this curve. Throws `CryptoError` `badEntropy`.
 */
export async function ecdh(
  privateKey: Uint8Array,
  peer: Partial<EcPublicKey>,
  pause: Pause,
): Promise<Uint8Array | null> {
  const point = peer.kty === 'EC' && peer.crv === 'P-256' ? pointOf(peer.x, peer.y) : null;
  if (point === null) return null;
  return (await affine(await multiply(privateKey, point, pause), pause))[0];
}

/** Projective: x = X/Z, y = Y/Z; infinity has Z = 0. Between -p and p. */
type Point = readonly [X: bigint, Y: bigint, Z: bigint];

const p = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const b = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
const generator: Point = [
  0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
  1n,
];
/** A bit costs 340,000 instructions of an interpreter. */
const bitsPerSlice = 64;

/** Montgomery's ladder: the second point is always one more than the first. */
async function multiply(scalar: Uint8Array, point: Point, pause: Pause): Promise<Point> {
  const value = scalar.length === 32 ? numberOf(scalar) : 0n;
  if (value === 0n || value >= n) {
    throw new CryptoError('badEntropy', 'no private key of P-256');
  }
  const ladder: [Point, Point] = [[0n, 1n, 0n], point];
  for (let at = 0; at < 256; at++) {
    if (at % bitsPerSlice === 0) await pause();
    const bit = (((scalar[at >> 3] as number) >> (7 - (at & 7))) & 1) as 0 | 1;
    const sum = add(ladder[0], ladder[1]);
    ladder[bit] = add(ladder[bit], ladder[bit]);
    ladder[bit ? 0 : 1] = sum;
  }
  return ladder[0];
}

function add([x1, y1, z1]: Point, [x2, y2, z2]: Point): Point {
  const xx = (x1 * x2) % p;
  const yy = (y1 * y2) % p;
  const zz = (z1 * z2) % p;
  const xy = (x1 * y2 + x2 * y1) % p;
  const xz = (x1 * z2 + x2 * z1) % p;
  const yz = (y1 * z2 + y2 * z1) % p;
  const u = 3n * ((b * zz - xz) % p);
  const v = 3n * ((b * xz - xx - 3n * zz) % p);
  const w = 3n * (xx - zz);
  return [
    (xy * (yy - u) - yz * v) % p,
    (w * v + (yy + u) * (yy - u)) % p,
    (yz * (yy + u) + xy * w) % p,
  ];
}

/** The two coordinates as bytes; 1/Z is Z to the power of p - 2 (Fermat). */
async function affine([x, y, z]: Point, pause: Pause): Promise<[x: Uint8Array, y: Uint8Array]> {
  let inverse = 1n;
  await pause();
  for (const bit of (p - 2n).toString(2)) {
    inverse = (inverse * inverse) % p;
    if (bit === '1') inverse = (inverse * z) % p;
  }
  return [bytesOf(x * inverse), bytesOf(y * inverse)];
}

/** Null when the coordinates are not two numbers below p that fit the curve's equation. */
function pointOf(xText: unknown, yText: unknown): Point | null {
  if (typeof xText !== 'string' || typeof yText !== 'string') return null;
  const xBytes = decodeBase64(xText, 'url');
  const yBytes = decodeBase64(yText, 'url');
  if (xBytes?.length !== 32 || yBytes?.length !== 32) return null;
  const x = numberOf(xBytes);
  const y = numberOf(yBytes);
  return x < p && y < p && (y * y - (x * x - 3n) * x - b) % p === 0n ? [x, y, 1n] : null;
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${encodeHex(bytes)}`);
}

function bytesOf(value: bigint): Uint8Array {
  const digits = (((value % p) + p) % p).toString(16).padStart(64, '0');
  return decodeHex(digits) ?? new Uint8Array(0);
}
