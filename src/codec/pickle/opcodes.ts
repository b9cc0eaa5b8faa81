/**
 * Names of the pickle machine's opcodes, as in Python (FORMATS.md 3.2).
 *
 * @module
 */

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
  const place = CHARACTERS.indexOf(String.fromCharCode(opcode));
  const name = place < 0 ? LATER[opcode - 0x80] : CHARACTERS[place + 1];
  return name ?? `0x${opcode.toString(16).padStart(2, "0")}`;
}
