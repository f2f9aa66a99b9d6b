/** Builds small models of ONNX by hand, so that specs run real ones. Field numbers are those of onnx.proto. */

/** Protocol buffers by hand: field number and wire type, then the value. */
const varint = (value: number): Buffer => {
  const bytes: number[] = [];
  for (; value > 0x7f; value = Math.floor(value / 128)) bytes.push((value & 0x7f) | 0x80);
  return Buffer.from([...bytes, value]);
};
export const int = (field: number, value: number): Buffer => Buffer.concat([varint(field * 8), varint(value)]);
export const bytes = (field: number, ...parts: (Buffer | string)[]): Buffer => {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([varint(field * 8 + 2), varint(content.length), content]);
};

export const node = (op: string, inputs: string[], output: string, ...attributes: Buffer[]): Buffer =>
  bytes(1, ...inputs.map((name) => bytes(1, name)), bytes(2, output), bytes(4, op), ...attributes);
export const intAttribute = (name: string, value: number): Buffer =>
  bytes(5, bytes(1, name), int(3, value), int(20, 2));
export const intsAttribute = (name: string, value: number): Buffer =>
  bytes(5, bytes(1, name), int(8, value), int(20, 7));
export const valueInfo = (field: number, name: string, type: number, ...dims: string[]): Buffer => {
  const shape = bytes(2, ...dims.map((dim) => bytes(1, bytes(2, dim))));
  return bytes(field, bytes(1, name), bytes(2, bytes(1, int(1, type), shape)));
};

export const FLOAT = 1;
export const INT64 = 7;

/** A constant table of floats. */
export const table = (name: string, values: Float32Array, ...dims: number[]): Buffer =>
  bytes(5, ...dims.map((dim) => int(1, dim)), int(2, FLOAT), bytes(8, name), bytes(9, Buffer.from(values.buffer)));

/** A model of operator set 11 with this graph. */
export const model = (...graph: Buffer[]): Buffer =>
  Buffer.concat([int(1, 6), bytes(8, int(2, 11)), bytes(7, ...graph)]);
