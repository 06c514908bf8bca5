"""What the demo's shop sells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from server.demo import solids
from server.demo.shape import Solid


@dataclass(frozen=True, slots=True)
class Good:
    id: str
    title: str
    description: str
    price: int
    """Euro cents."""
    sale_price: int | None
    stock: int
    made_of: Callable[[], tuple[Solid, ...]]
    target: float
    """The height that the camera looks at."""
    lens: float
    wall: tuple[float, float, float]
    table: tuple[float, float, float]
    lit: bool = False


GOODS = (
    Good("matcha", "宇治抹茶 Uji matcha, 30 g",
         "First harvest, stone-milled. Whisk two grams with water at 80 °C.",
         2400, None, 40, solids.tea, 0.55, 4.5, (0.42, 0.43, 0.36), (0.5, 0.48, 0.4)),
    Good("celadon-bowl", "Hand-thrown celadon bowl",
         "Thrown on the wheel, glazed twice, no two alike. 27 cm.",
         6800, 5400, 12, solids.bowl, 0.5, 3.6, (0.62, 0.4, 0.3), (0.66, 0.46, 0.36)),
    Good("honey", "Raw chestnut honey, 500 g",
         "Dark, slightly bitter, unfiltered. From one valley and one summer.",
         1450, None, 85, solids.honey, 0.92, 4.0, (0.56, 0.47, 0.34), (0.62, 0.53, 0.4)),
    Good("lantern", "Mulberry paper lantern",
         "Washi on a bamboo frame, warm light, folds flat.",
         8900, 6900, 7, solids.lantern, 1.02, 3.7, (0.13, 0.16, 0.22), (0.24, 0.21, 0.2), True),
    Good("scarf", "Lambswool scarf, tartan red",
         "Woven in the Borders, brushed soft. 180 x 30 cm.",
         4500, None, 23, solids.scarf, 0.42, 4.3, (0.36, 0.42, 0.46), (0.48, 0.5, 0.5)),
)  # fmt: skip
