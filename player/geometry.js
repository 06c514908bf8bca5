/** Where the picture lies in its box and where a card lies in the picture. Pure; CSS pixels. */

/**
 * Fit a picture into a box: as large as fits whole, then grown over the box's edges while at
 * most `crop` of the picture is cut off on each side (0.05 is the title-safe margin).
 * `anchor` places it vertically: 0 at the top, 0.5 in the middle.
 */
export function fitPicture(box, picture, { crop = 0, anchor = 0.5 } = {}) {
  if (!(picture.width > 0 && picture.height > 0 && box.width > 0 && box.height > 0)) {
    return { x: 0, y: 0, width: box.width, height: box.height };
  }
  const across = box.width / picture.width;
  const down = box.height / picture.height;
  const contain = Math.min(across, down);
  const cover = Math.max(across, down);
  const scale = Math.min(cover, contain / (1 - 2 * crop));
  const width = picture.width * scale;
  const height = picture.height * scale;
  const spare = box.height - height;
  return {
    x: (box.width - width) / 2,
    y: spare > 0 ? spare * anchor : spare / 2,
    width,
    height,
  };
}

/** Map a rectangle in fractions of the picture to pixels of the box. */
export function placeRect(rect, picture) {
  return {
    x: picture.x + rect.x * picture.width,
    y: picture.y + rect.y * picture.height,
    width: rect.width * picture.width,
    height: rect.height * picture.height,
  };
}

/** Grow a rectangle about its middle to at least `least` pixels each way (touch targets). */
export function grow(rect, least) {
  const width = Math.max(rect.width, least);
  const height = Math.max(rect.height, least);
  return {
    x: rect.x - (width - rect.width) / 2,
    y: rect.y - (height - rect.height) / 2,
    width,
    height,
  };
}

const SAFE = 0.05;
const PORTRAIT_BOTTOM = 0.25;
const CARD_ASPECT = 3.1;
const SLOTS = 3;
const GAP = 0.14;

/**
 * Place a card that the page draws itself just where the server would burn it in: by slot
 * (0 .. 2), the picture's aspect (width / height) and corner. Fractions of the picture.
 */
export function cardRect(slot, aspect, corner = "bottom-left", rtl = false) {
  const floor = aspect < 1 ? PORTRAIT_BOTTOM : SAFE;
  const wide = Math.min(0.62 / aspect, 0.78);
  const height = Math.min((wide * aspect) / CARD_ASPECT, (1 - SAFE - floor) / (SLOTS + (SLOTS - 1) * GAP));
  const width = (height * CARD_ASPECT) / aspect;
  const right = corner.endsWith("right") !== rtl;
  const step = slot * height * (1 + GAP);
  return {
    x: right ? 1 - SAFE - width : SAFE,
    y: corner.startsWith("bottom") ? 1 - floor - height - step : SAFE + step,
    width,
    height,
  };
}
