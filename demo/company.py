"""Who works at Meridian Logistics: six functions, their heads and the people whose names stand in the records."""

from __future__ import annotations

import random
import unicodedata
import uuid
from dataclasses import dataclass

# Letters that Unicode does not take apart into a base letter and a mark.
_LETTERS = str.maketrans({"Ł": "L", "ł": "l", "ø": "o", "ß": "ss"})

DOMAIN = "meridian-logistics.example"
_ACCOUNTS = uuid.UUID("6f3c1f1e-6f0a-4f43-8f3b-0d7c5a1e2b90")


@dataclass(frozen=True, slots=True)
class Person:
    """An employee: `account_id` is the tracker's id, `crm_id` the CRM's owner id."""

    name: str
    function: str

    @property
    def email(self) -> str:
        plain = unicodedata.normalize("NFKD", self.name.translate(_LETTERS))
        letters = "".join(c for c in plain if c.isascii() and (c.isalnum() or c in " -"))
        return ".".join(letters.lower().split()) + "@" + DOMAIN

    @property
    def account_id(self) -> str:
        return f"712020:{uuid.uuid5(_ACCOUNTS, self.name)}"

    @property
    def crm_id(self) -> str:
        return str(400_000_000 + uuid.uuid5(_ACCOUNTS, self.name).int % 90_000_000)


CHIEF_EXECUTIVE = Person("Katharina Lindqvist", "company")

HEADS: dict[str, Person] = {
    "engineering": Person("Tomasz Wieczorek", "engineering"),
    "product": Person("Amara Okonkwo-Reyes", "product"),
    "sales": Person("Lucia Ferrante", "sales"),
    "operations": Person("Henrik Vandermeer", "operations"),
    "finance": Person("Noor Rahimi", "finance"),
    "people": Person("Siobhan Ó Dálaigh", "people"),
}

_STAFF: dict[str, str] = {
    "engineering": (
        "Mei-Ling Zhao, Oluwaseun Adeyemi, Björn Halvorsen, Priya Raghunathan, Marek Dvořák, Yusuf Demirtaş, "
        "Clara Weißenborn, Ignacio Saavedra, Anneli Koskela, Devon Achterberg, Fatoumata Diarra, Sándor Kelemen, "
        "Hanna Brzezińska, Rafael Quintanilha, Ji-woo Baek, Leila Mansouri, Pieter Oosterhuis, Ngọc Trần, "
        "Giulia Santangelo, Emeka Nwachukwu, Théo Laurendeau"
    ),
    "product": "Ines Cavalcanti, Jonas Feldkamp, Aisha Bello-Marsh, Wren Castellanos, Kenji Hoshino, Marta Łuczak",
    "sales": (
        "Dmitri Avdeyev, Sofia Lindgren, Carlos Benavides, Nadia El-Khoury, Patrick O'Shaughnessy, "
        "Ayşe Karabulut, Viktor Stojanović, Elise Van Damme"
    ),
    "operations": (
        "Goran Petrović, Renske de Wit, Abdul Karimzada, Tilda Sörensen, Mateusz Gajewski, Zanele Mokoena, "
        "Florian Obermüller, Ioana Dumitrescu, Samir Haddad, Britt Aaltonen"
    ),
    "finance": "Helga Thorvaldsen, Arjun Menon, Camille Rochefort, Dariusz Wójcik, Lindiwe Dube",
    "people": "Freya Lockhart, Tariq Aziz-Holm, Paola Mazzanti, Eun-ji Han",
}

STAFF: dict[str, tuple[Person, ...]] = {
    function: tuple(Person(name.strip(), function) for name in names.split(","))
    for function, names in _STAFF.items()
}


def everybody() -> list[Person]:
    """All employees, heads first."""
    return [CHIEF_EXECUTIVE, *HEADS.values(), *(person for staff in STAFF.values() for person in staff)]


def stream(seed: int, part: str) -> random.Random:
    """An own random stream per part, so that a change in one part leaves the others' draws alone."""
    return random.Random(f"{seed}/{part}")
