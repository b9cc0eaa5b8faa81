/**
 * The pickle machine's opcodes and their names, as in Python (FORMATS.md 3.2).
 *
 * @module
 */

// The opcodes that are written, or recognized in runs of them.
export const MARK = 0x28;
export const EMPTY_TUPLE = 0x29;
export const STOP = 0x2e;
export const POP = 0x30;
export const POP_MARK = 0x31;
export const BINBYTES = 0x42;
export const SHORT_BINBYTES = 0x43;
export const BINFLOAT = 0x47;
export const BININT = 0x4a;
export const BININT1 = 0x4b;
export const BININT2 = 0x4d;
export const NONE = 0x4e;
export const REDUCE = 0x52;
export const BINUNICODE = 0x58;
export const EMPTY_LIST = 0x5d;
export const APPEND = 0x61;
export const BUILD = 0x62;
export const GLOBAL = 0x63;
export const APPENDS = 0x65;
export const BINGET = 0x68;
export const LONG_BINGET = 0x6a;
export const BINPUT = 0x71;
export const LONG_BINPUT = 0x72;
export const SETITEM = 0x73;
export const TUPLE = 0x74;
export const SETITEMS = 0x75;
export const EMPTY_DICT = 0x7d;
export const PROTO = 0x80;
export const NEWOBJ = 0x81;
export const TUPLE1 = 0x85;
export const TUPLE2 = 0x86;
export const TUPLE3 = 0x87;
export const NEWTRUE = 0x88;
export const NEWFALSE = 0x89;
export const LONG1 = 0x8a;
export const LONG4 = 0x8b;
export const SHORT_BINUNICODE = 0x8c;
export const BINBYTES8 = 0x8e;
export const EMPTY_SET = 0x8f;
export const ADDITEMS = 0x90;
export const FROZENSET = 0x91;
export const STACK_GLOBAL = 0x93;
export const MEMOIZE = 0x94;
export const FRAME = 0x95;

/** Opcodes below 0x80: protocols 0 and 1, and the bytes opcodes of protocol 3. Each name follows the opcode as a character. */
const CHARACTERS = (
  "( MARK . STOP 0 POP 1 POP_MARK 2 DUP F FLOAT I INT J BININT K BININT1 L LONG M BININT2 N NONE P PERSID Q BINPERSID R REDUCE S STRING " +
  "T BINSTRING U SHORT_BINSTRING V UNICODE X BINUNICODE a APPEND b BUILD c GLOBAL d DICT } EMPTY_DICT e APPENDS g GET h BINGET i INST " +
  "j LONG_BINGET l LIST ] EMPTY_LIST o OBJ p PUT q BINPUT r LONG_BINPUT s SETITEM t TUPLE ) EMPTY_TUPLE u SETITEMS G BINFLOAT " +
  "B BINBYTES C SHORT_BINBYTES"
).split(" ");

/** Opcodes from 0x80 on, of protocols 2 to 5. */
const LATER = (
  "PROTO NEWOBJ EXT1 EXT2 EXT4 TUPLE1 TUPLE2 TUPLE3 NEWTRUE NEWFALSE LONG1 LONG4 SHORT_BINUNICODE BINUNICODE8 BINBYTES8 EMPTY_SET " +
  "ADDITEMS FROZENSET NEWOBJ_EX STACK_GLOBAL MEMOIZE FRAME BYTEARRAY8 NEXT_BUFFER READONLY_BUFFER"
).split(" ");

/** The name of an opcode, or its hexadecimal form if Python has no such opcode. */
export function opcodeName(opcode: number): string {
  const index = CHARACTERS.indexOf(String.fromCharCode(opcode));
  const name = index < 0 ? LATER[opcode - 0x80] : CHARACTERS[index + 1];
  return name ?? `0x${opcode.toString(16).padStart(2, "0")}`;
}
