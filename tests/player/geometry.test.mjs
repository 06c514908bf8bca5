import assert from "node:assert/strict";
import { test } from "node:test";

import { cardRect, fitPicture, grow, placeRect } from "../../player/geometry.js";

const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-6, `${a} is not ${b}`);

test("a picture is fitted whole and stands in the middle", () => {
  assert.deepEqual(fitPicture({ width: 1000, height: 1000 }, { width: 1600, height: 900 }), { x: 0, y: 218.75, width: 1000, height: 562.5 });
  const tall = fitPicture({ width: 1040, height: 900 }, { width: 720, height: 1280 });
  near(tall.width, 506.25);
  near(tall.x, (1040 - 506.25) / 2);
});

test("a phone's screen is filled, but no more is cut than allowed", () => {
  const box = { width: 390, height: 844 };
  const picture = fitPicture(box, { width: 720, height: 1280 }, { crop: 0.035, anchor: 0 });
  near(-picture.x / picture.width, 0.035);
  near(picture.y, 0);
  near(picture.width / picture.height, 720 / 1280);
  const close = fitPicture({ width: 390, height: 700 }, { width: 720, height: 1280 }, { crop: 0.035 });
  near(close.height, 700);
});

test("an unknown picture or an empty box is the box", () => {
  assert.deepEqual(fitPicture({ width: 300, height: 200 }, { width: 0, height: 0 }), { x: 0, y: 0, width: 300, height: 200 });
});

test("a card lies over its pixels, letterboxed or cut", () => {
  const picture = fitPicture({ width: 1000, height: 1000 }, { width: 1280, height: 720 });
  const card = placeRect({ x: 0.05, y: 0.7, width: 0.34, height: 0.2 }, picture);
  near(card.x, 50);
  near(card.y, 218.75 + 0.7 * 562.5);
  near(card.height, 0.2 * 562.5);
});

test("a small card is grown to a finger's size about its middle", () => {
  assert.deepEqual(grow({ x: 10, y: 10, width: 100, height: 24 }, 44), { x: 10, y: 0, width: 100, height: 44 });
});

test("cards drawn by the page keep the margins and never overlap", () => {
  for (const aspect of [9 / 16, 1, 16 / 9, 21 / 9]) {
    for (const corner of ["bottom-left", "bottom-right", "top-left", "top-right"]) {
      const cards = [0, 1, 2].map((slot) => cardRect(slot, aspect, corner));
      for (const { x, y, width, height } of cards) {
        assert.ok(x > 0.0499 && y > 0.0499 && x + width < 0.9501);
        assert.ok(y + height < (aspect < 1 ? 0.7501 : 0.9501));
      }
      cards.sort((a, b) => a.y - b.y);
      assert.ok(cards[0].y + cards[0].height < cards[1].y && cards[1].y + cards[1].height < cards[2].y);
    }
  }
  near(cardRect(0, 16 / 9, "bottom-left", true).x, cardRect(0, 16 / 9, "bottom-right").x);
});
