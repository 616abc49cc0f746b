/* Numbers in network byte order. */
#ifndef JINGLE_RTP_BYTES_H
#define JINGLE_RTP_BYTES_H

#include <stdint.h>

static inline uint16_t read_u16(const uint8_t *at)
{
    return (uint16_t)((at[0] << 8) | at[1]);
}

static inline uint32_t read_u24(const uint8_t *at)
{
    return ((uint32_t)at[0] << 16) | ((uint32_t)at[1] << 8) | at[2];
}

static inline uint32_t read_u32(const uint8_t *at)
{
    return ((uint32_t)at[0] << 24) | read_u24(at + 1);
}

static inline void write_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void write_u24(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 16);
    at[1] = (uint8_t)(value >> 8);
    at[2] = (uint8_t)value;
}

static inline void write_u32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    write_u24(at + 1, value);
}

#endif
