"""The words of the made-up shop: its categories, brands, regions, campaigns, and the kinds of people it has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Category:
    """A leaf of the category tree; `price_minor` is the median price of its items in cents."""

    path: str
    price_minor: int
    words: tuple[str, ...]
    chinese: str

    @property
    def leaf(self) -> str:
        """The last step of the path."""
        return self.path.rsplit(" > ", 1)[-1]


CATEGORIES = (
    Category("electronics > phones > android", 219900, ("phone", "android", "dual sim", "fast charge"), "安卓手机"),
    Category("electronics > phones > accessories", 4900, ("case", "charger", "cable", "power bank"), "手机壳"),
    Category("electronics > audio > headphones", 39900, ("headphones", "wireless", "noise cancelling"), "耳机"),
    Category("electronics > computers > laptops", 489900, ("laptop", "ultrabook", "backlit keyboard"), "笔记本电脑"),
    Category("home > kitchen > cookware", 15900, ("pan", "wok", "non-stick", "cast iron"), "炒锅"),
    Category("home > kitchen > appliances", 32900, ("rice cooker", "blender", "kettle", "air fryer"), "电饭煲"),
    Category("home > living > lighting", 12900, ("lamp", "desk light", "dimmable", "led"), "台灯"),
    Category("fashion > women > dresses", 25900, ("dress", "linen", "summer", "pleated"), "连衣裙"),
    Category("fashion > men > shirts", 18900, ("shirt", "cotton", "oxford", "slim"), "衬衫"),
    Category("fashion > shoes > running", 49900, ("running shoes", "trail", "cushioned", "breathable"), "跑鞋"),
    Category("sports > outdoor > camping", 35900, ("tent", "sleeping bag", "camping stove"), "帐篷"),
    Category("sports > fitness > yoga", 9900, ("yoga mat", "block", "resistance band"), "瑜伽垫"),
    Category("books > fiction > novels", 4500, ("novel", "paperback", "mystery", "translated"), "小说"),
    Category("books > learning > programming", 8900, ("programming", "python", "algorithms", "data"), "编程"),
    Category("beauty > skin > creams", 16900, ("cream", "moisturiser", "sunscreen", "serum"), "面霜"),
    Category("grocery > drinks > tea", 6900, ("green tea", "oolong", "loose leaf", "jasmine"), "茶叶"),
)

# (name, price factor): a brand sells in every category, a dear one everywhere dear
BRANDS = (
    ("Aurora", 1.9), ("Bergwind", 1.6), ("Caldera", 1.45), ("Dovetail", 1.3), ("Everline", 1.15), ("Fennec", 1.05),
    ("Glimmer", 1.0), ("Harbour", 0.95), ("Indigo", 0.9), ("Juniper", 0.85), ("Kestrel", 0.75), ("Lumen", 0.6),
)  # fmt: skip

# (region, country, offset from UTC in minutes, share of persons); none of them has daylight saving
REGIONS = (
    ("Shanghai", "CN", 480, 0.20), ("Beijing", "CN", 480, 0.17), ("Guangdong", "CN", 480, 0.19),
    ("Zhejiang", "CN", 480, 0.13), ("Sichuan", "CN", 480, 0.11), ("Hubei", "CN", 480, 0.08),
    ("Singapore", "SG", 480, 0.04), ("Tokyo", "JP", 540, 0.03), ("Dubai", "AE", 240, 0.03), ("Mumbai", "IN", 330, 0.02),
)  # fmt: skip

# (source, medium, campaign)
CAMPAIGNS = (
    ("search", "cpc", "brand_words"), ("search", "cpc", "spring_sale"), ("wechat", "social", "friends_share"),
    ("weibo", "social", "live_stream"), ("newsletter", "email", "weekly_picks"), ("newsletter", "email", "win_back"),
    ("partner", "affiliate", "cashback"), ("push", "app", "flash_deal"),
)  # fmt: skip

NO_RESULT_QUERIES = (
    "lptop",
    "heaphones xs",
    "gift for grandpa",
    "unicorn tent",
    "充电宝大容量",
    "blender 900w refurb",
)

AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Safari/605.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Edg/139.0.0.0",
)
TABLET_AGENTS = (
    "Mozilla/5.0 (iPad; CPU OS 18_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Mobile Safari",
    "Mozilla/5.0 (Linux; Android 15; SM-X710) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36",
)
MODELS = ("Pixel 9", "SM-S931B", "Mi 15", "PLK-AL10", "V2405A")
VERSIONS = ("5.0.2", "5.1.0", "5.1.3", "5.2.0")
ERRORS = ("E404", "E500", "E502", "TIMEOUT")

GIVEN = ("wei", "fang", "min", "jing", "lei", "yan", "jun", "ling", "tao", "mei", "anna", "raj", "yuki", "omar")
FAMILY = ("li", "wang", "zhang", "liu", "chen", "yang", "zhao", "huang", "zhou", "wu", "tan", "sato", "khan", "rossi")

OCCUPATIONS = ("student", "engineer", "teacher", "clerk", "manager", "nurse", "self_employed", "retired")
EDUCATION = ("secondary", "college", "bachelor", "master", "doctorate")
INCOME = ("under_5k", "5k_10k", "10k_20k", "20k_40k", "over_40k")
PURPOSES = ("personalisation", "email", "push", "ads", "linking")


@dataclass(frozen=True)
class Segment:
    """How one kind of person behaves.

    Args:
        name: as in the truth.
        share: of all persons [0–1].
        visits_per_day: mean over days on which the person is a customer.
        looks: mean number of items looked at in a visit.
        cart: chance that a look ends in the cart [0–1].
        buy: chance that a visit with a cart ends in an order [0–1].
        sensitivity: mean price sensitivity [0–1].
        discount: chance that an order has a discount [0–1].
        hours: relative weight of the 24 hours of the day.
        weekend: factor on visits on Saturday and Sunday.
    """

    name: str
    share: float
    visits_per_day: float
    looks: float
    cart: float
    buy: float
    sensitivity: float
    discount: float
    hours: tuple[int, ...]
    weekend: float


_DAYTIME = (1, 1, 0, 0, 0, 1, 2, 4, 6, 6, 6, 7, 9, 7, 5, 5, 5, 6, 7, 9, 12, 11, 7, 3)
_OFFICE = (0, 0, 0, 0, 0, 0, 2, 5, 8, 10, 9, 7, 9, 6, 5, 5, 5, 6, 5, 5, 7, 6, 3, 1)
_NIGHT = (12, 9, 6, 3, 1, 0, 0, 0, 1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 3, 4, 6, 9, 13, 14)

SEGMENTS = (
    Segment("bargain_hunter", 0.22, 0.18, 5.0, 0.13, 0.30, 0.85, 0.60, _DAYTIME, 1.5),
    Segment("premium_loyal", 0.13, 0.28, 3.2, 0.18, 0.62, 0.12, 0.08, _OFFICE, 0.8),
    Segment("browser", 0.26, 0.22, 5.5, 0.05, 0.18, 0.50, 0.15, _DAYTIME, 1.2),
    Segment("night_owl", 0.15, 0.20, 4.2, 0.10, 0.40, 0.45, 0.20, _NIGHT, 1.1),
    Segment("newcomer", 0.12, 0.22, 3.6, 0.09, 0.35, 0.55, 0.35, _DAYTIME, 1.2),
    Segment("lapsing", 0.12, 0.18, 3.0, 0.08, 0.30, 0.50, 0.20, _DAYTIME, 1.0),
)
