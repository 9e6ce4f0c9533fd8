// Draws media/icon.png: a line of code, the cursor, and what is suggested after it; `node scripts/icon.mjs`.
// By hand, so that there is a source of the picture that can be read, and no tool for it to install.

import { writeFileSync } from "node:fs";
import { crc32, deflateSync } from "node:zlib";

const SIZE = 256;
const NIGHT = [24, 30, 42];
const CODE = [226, 232, 240];
const CURSOR = [56, 189, 248];
const GHOST = [100, 116, 139];

/** Bars with round ends: left, top, width, height, radius, colour. Later ones lie above. */
const BARS = [
    [0, 0, 256, 256, 56, NIGHT],
    [44, 66, 104, 26, 13, CODE],
    [76, 115, 48, 26, 13, CODE],
    [136, 100, 12, 56, 6, CURSOR],
    [160, 115, 56, 26, 13, GHOST],
    [76, 164, 116, 26, 13, GHOST],
];

/** Distance from a bar's edge in pixels; negative inside. */
function distance(x, y, [left, top, width, height, radius]) {
    const dx = Math.abs(x - left - width / 2) - width / 2 + radius;
    const dy = Math.abs(y - top - height / 2) - height / 2 + radius;
    return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - radius;
}

function pixel(x, y) {
    let [r, g, b, a] = [0, 0, 0, 0];
    for (const bar of BARS) {
        const cover = Math.min(Math.max(0.5 - distance(x + 0.5, y + 0.5, bar), 0), 1);
        const [red, green, blue] = bar[5];
        const mix = a === 0 ? 1 : cover;
        [r, g, b] = [r + (red - r) * mix, g + (green - g) * mix, b + (blue - b) * mix];
        a = Math.max(a, cover);
    }
    return [r, g, b, a * 255].map(Math.round);
}

function chunk(type, data) {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
}

const rows = [];
for (let y = 0; y < SIZE; y++) {
    rows.push(0); // No filter.
    for (let x = 0; x < SIZE; x++) {
        rows.push(...pixel(x, y));
    }
}
const header = Buffer.alloc(13);
header.writeUInt32BE(SIZE, 0);
header.writeUInt32BE(SIZE, 4);
header.set([8, 6, 0, 0, 0], 8); // 8 bits, RGBA.
const magic = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const data = deflateSync(Buffer.from(rows), { level: 9 });
const png = Buffer.concat([magic, chunk("IHDR", header), chunk("IDAT", data), chunk("IEND", Buffer.alloc(0))]);
writeFileSync(new URL("../media/icon.png", import.meta.url), png);
