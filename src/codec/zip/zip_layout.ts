/**
 * The structures of a zip archive (PKWARE's APPNOTE.TXT, section 4.3); all integers are little-endian:
 *
 * ```text
 * local header      u32 signature · u16 version · u16 flags · u16 method · u16 time · u16 date · u32 crc · u32 compressed · u32 size ·
 *                   u16 name length · u16 extra length · name · extra; then the file's bytes
 * directory entry   u32 signature · u16 made by · u16 version · u16 flags · u16 method · u16 time · u16 date · u32 crc · u32 compressed ·
 *                   u32 size · u16 name length · u16 extra length · u16 comment length · u16 disk · u16 internal attributes ·
 *                   u32 external attributes · u32 offset of the local header · name · extra · comment
 * zip64 end         u32 signature · u64 size of the rest · u16 made by · u16 version · u32 disk · u32 disk of the directory ·
 *                   u64 entries on this disk · u64 entries · u64 size of the directory · u64 its offset
 * zip64 locator     u32 signature · u32 disk of the zip64 end · u64 its offset · u32 disks
 * end               u32 signature · u16 disk · u16 disk of the directory · u16 entries on this disk · u16 entries ·
 *                   u32 size of the directory · u32 its offset · u16 comment length · comment
 * ```
 *
 * @module
 */

/** Signature of a local header (4.3.7), and its size without the name and extra field. */
export const LOCAL_HEADER = 0x04034b50, LOCAL_HEADER_SIZE = 30;
/** Signature of a directory entry (4.3.12), and its size without the name, extra field and comment. */
export const DIRECTORY_ENTRY = 0x02014b50, DIRECTORY_ENTRY_SIZE = 46;
/** Signature of the zip64 end record (4.3.14), and its size. */
export const ZIP64_END = 0x06064b50, ZIP64_END_SIZE = 56;
/** Signature of the locator of the zip64 end record (4.3.15), and its size. */
export const ZIP64_LOCATOR = 0x07064b50, ZIP64_LOCATOR_SIZE = 20;
/** Signature of the end record (4.3.16), and its size without the comment. */
export const END = 0x06054b50, END_SIZE = 22;
/** Id of the extra field for values that do not fit in 32 bits (4.5.3). */
export const ZIP64_FIELD = 1;
/** What a 32- or 16-bit field holds if its value is in the zip64 structures. */
export const IN_ZIP64 = 0xffffffff, IN_ZIP64_COUNT = 0xffff;

/** Flags (4.4.4): bits 0, 6 and 13, three kinds of encryption. */
export const ENCRYPTED = 0x2041;
/** Flag (4.4.4): bit 3, checksum and sizes follow the file's bytes. */
export const SIZES_FOLLOW = 0x8;
/** Flag (4.4.4): bit 11, the name is UTF-8. */
export const UTF8_NAME = 0x800;
