"""What people write into titles and notes: plausible, with the quotes, accents and markup that real records carry."""

from __future__ import annotations

import random

_WORK: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "PLAT": (
        ("Migrate", "Harden", "Split", "Cache", "Instrument", "Retire", "Upgrade", "Scale out"),
        (
            "the shipment event store",
            "depot session handling",
            "the rate engine",
            "address geocoding",
            "the label printing queue",
            "single sign-on for depots",
            "the route planner's job runner",
            "message retention",
            "the warehouse scanner gateway",
            "tracing of slow depot calls",
        ),
    ),
    "APP": (
        ("Show", "Rework", "Add filters to", "Speed up", "Make accessible:", "Add export to", "Simplify"),
        (
            "the shipper dashboard",
            "the dock booking screen",
            "proof-of-delivery photos",
            "the driver app's stops",
            "customs paperwork upload",
            "the claims form",
            "invoice drill-down",
            "notification settings",
            "the tracking page on mobile",
            "the depot shift board",
        ),
    ),
    "INT": (
        (
            "Renew certificates for",
            "Refactor",
            "Raise the rate limit of",
            "Add retries to",
            "Monitor",
            "Document",
        ),
        (
            "the EDI gateway",
            "the ERP order import",
            "the parcel label adapter",
            "the SFTP drop of partner depots",
            "the toll data feed",
            "the weather feed",
            "the marketplace order hook",
            "the legacy SOAP bridge",
        ),
    ),
    "PROD": (
        ("Discovery:", "Opportunity:", "Test an idea:", "Size:"),
        (
            "self-service dock slots",
            "carbon report per shipment",
            "flexible pickup windows",
            "returns portal",
            "dynamic pricing for backhaul",
            "multi-stop tendering",
            "temperature alerts",
            "pallet pooling",
        ),
    ),
    "OPS": (
        ("Charter", "Night express", "Groupage", "Part load", "Reefer run"),
        (
            "Hamburg–Łódź",
            "Rotterdam–Lyon",
            "Leipzig–Brno",
            "Malmö–Bremen",
            "Graz–Verona",
            "Zürich–Köln",
            "Antwerp–Poznań",
            "Duisburg–Győr",
            "Aarhus–Kassel",
            "Lille–Ulm",
        ),
    ),
    "FINX": (
        ("Correct invoice for", "Credit note for", "Clear payment difference of", "Match freight bill of"),
        (
            "Nordwind Möbel",
            "Casa Tagliabue",
            "Pharma-Depot Süd",
            "Kaufmann & Söhne",
            "Atelier d'Orsay",
            "Zielona Farm",
            "Halden Paper",
            "Brightwater Foods",
        ),
    ),
    "PEO": (
        ("Hire:", "Backfill:"),
        (
            "depot shift lead",
            "backend engineer",
            "transport planner",
            "key account manager",
            "data analyst",
            "customs clerk",
            "payroll specialist",
            "fleet technician",
        ),
    ),
    "SAL": (
        ("Prepare tender for", "Clean up account data of", "Renewal offer for"),
        (
            "Velograph",
            "Ostsee Kühlhaus",
            "Marchetti Ceramiche",
            "Polar Sports",
            "Bauhütte 21",
            "Tulip Textiles",
        ),
    ),
}

_ODDITIES = (
    ' – "works on my scanner"',
    " <b>urgent</b>",
    " (see O'Brien's note)",
    " & follow-up",
    " 🚚",
    "; second half",
    " [50 % done?]",
    " | depot “Süd”",
    " =1+1",
    " — naïve variant, façade first",
)

_BUGS = (
    "Wrong totals on {}",
    "Timeout in {}",
    "{}: crash on empty stop list",
    "{}: umlauts are garbled",
    'Error "NullReference <none>" in {}',
    "{} ignores the time zone",
    "Duplicate rows in {}",
)

COMPANIES = (
    "Nordwind Möbel",
    "Casa Tagliabue",
    "Pharma-Depot Süd",
    "Kaufmann & Söhne",
    "Atelier d'Orsay",
    "Zielona Farm",
    "Halden Paper",
    "Brightwater Foods",
    "Velograph",
    "Ostsee Kühlhaus",
    "Marchetti Ceramiche",
    "Polar Sports",
    "Bauhütte 21",
    "Tulip Textiles",
    'Gruber "Alpin" GmbH',
    "Les Caves Réunies",
    "Iberfrutas",
    "Skogsmark Trä",
    "Kovács Optika",
    "Bluefin Marine",
    "Anatolia Tekstil",
    "Fjord & Fell",
    "Rheinland Chemie-Logistik",
    "Solaris PV",
    "Molinari Caffè",
    "Hansen <Maskin> ApS",
    "Teck Instruments",
    "Vitalis Apotheken",
    "O'Dowd Distillers",
    "Český Porcelán",
    "Lumen Retail",
    "Ambros Automotive",
    "Greenleaf Grocers",
    "Baltic Timber",
    "Quay Nine",
    "Świat Zabawek",
    "Delacroix Parfums",
    "Hütter Maschinenbau",
    "Norsk Fisk",
    "Papyrus Office",
)

CARRIERS = (
    "Trans-Oder Sp. z o.o.",
    "Spedition Kessler",
    "Transports Mercier",
    "Van Rijn Haulage",
    "Adriatica Trasporti",
    "Karlsen Åkeri",
    "Danube Cargo Kft.",
    "Bohemia Express s.r.o.",
    "Falke Kurier",
    "Iber-Ruta S.L.",
    "Steinbach & Partner",
    "Coastline Ferries",
)


def title(project: str, rng: random.Random) -> str:
    """A title for a piece of work in `project`; one in fifteen carries quotes, markup or an emoji."""
    verbs, things = _WORK[project]
    text = f"{rng.choice(verbs)} {rng.choice(things)}"
    return text + rng.choice(_ODDITIES) if rng.random() < 1 / 15 else text


def bug_title(project: str, rng: random.Random) -> str:
    """A title for a defect in `project`."""
    return rng.choice(_BUGS).format(rng.choice(_WORK[project][1]))
