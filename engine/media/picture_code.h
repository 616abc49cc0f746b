/* What a test picture says of itself to programs: a strip of black and white cells at its lower
 * edge that survives scaling and a low bit rate. The same in the source, test_picture.c, and in
 * the reader of the tests.
 *
 *     |<----------------------- 32 columns ----------------------->|
 *     | time, milliseconds of CLOCK_MONOTONIC, the low 32 bits     |  row 16 of 18
 *     | frame number, 16 bits       | CRC-16 of these 48 bits      |  row 17 of 18
 *
 * The highest bit is on the left; white is 1. Cells are a fraction of the picture, whatever its
 * size is. */
#ifndef JINGLE_MEDIA_PICTURE_CODE_H
#define JINGLE_MEDIA_PICTURE_CODE_H

#include <stdint.h>

enum {
    PICTURE_CODE_COLUMNS = 32,
    PICTURE_CODE_ROWS = 2,
    PICTURE_CODE_FIRST_ROW = 16, /* of ... */
    PICTURE_CODE_GRID_ROWS = 18,
};

/* Rows of cells, the upper one first. */
struct picture_code {
    uint32_t rows[PICTURE_CODE_ROWS];
};

/* CRC-16/CCITT-FALSE over six bytes. */
static inline uint16_t picture_code_crc(uint32_t time, uint16_t number)
{
    uint64_t bits = (uint64_t)time << 16 | number;
    uint32_t crc = 0xffff;
    for (int i = 47; i >= 0; i--) {
        uint32_t top = (crc >> 15 ^ (uint32_t)(bits >> i)) & 1;
        crc = (crc << 1 & 0xffff) ^ (top ? 0x1021 : 0);
    }
    return (uint16_t)crc;
}

static inline struct picture_code picture_code_make(uint32_t time, uint16_t number)
{
    return (struct picture_code){
        {time, (uint32_t)number << 16 | picture_code_crc(time, number)},
    };
}

#endif
