"""Ready layouts for the exports of well-known systems: what their columns are called, how they write signs and dates.

A profile gives defaults; whatever a layout says itself comes first. Spellings are those of the systems' own reports, without
regard to case, white space, underscores and dashes; of several that a file has, the first listed wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

Profile = Literal["netsuite", "quickbooks_online", "xero", "sap_fbl3n", "datev", "generic"]
NAMES: tuple[Profile, ...] = get_args(Profile)

_GENERIC: dict[str, tuple[str, ...]] = {
    "date": ("Posting Date", "Accounting Date", "GL Date", "Transaction Date", "Date", "Paid Date", "Journal Date",
             "Buchungsdatum", "Datum"),
    "posted_at": ("Posted At", "Entered", "Entry Date", "Created", "Created At"),
    "account": ("Account", "Account Code", "Account Number", "Account No", "GL Account", "G/L Account", "Nominal Code",
                "Expenditure Code", "Konto", "Sachkonto"),
    "account_name": ("Account Name", "Account Description", "Kontobezeichnung"),
    "account_type": ("Account Type", "Kontoart"),
    "cost_centre": ("Cost Centre", "Cost Center", "Department", "Kostenstelle", "Service Area"),
    "amount": ("Amount", "Net Amount", "Value", "Betrag"),
    "debit": ("Debit", "Debit Amount", "Soll"),
    "credit": ("Credit", "Credit Amount", "Haben"),
    "currency": ("Currency", "Currency Code", "Waehrung", "Währung"),
    "amount_company": ("Amount in Company Currency", "Base Amount", "Local Amount", "Betrag Hauswährung"),
    "document": ("Document", "Document No", "Document Number", "Voucher", "Journal", "Trans No", "Reference", "Beleg",
                 "Belegnummer"),
    "line": ("Line", "Line No", "Line Number", "Position"),
    "counterparty": ("Counterparty", "Customer", "Supplier", "Vendor", "Supplier Name", "Name"),
    "description": ("Description", "Memo", "Text", "Narrative", "Buchungstext"),
}  # fmt: skip

_NETSUITE = {
    "date": ("Date", "Transaction Date", "Posting Date"),
    "posted_at": ("Date Created",),
    "account": ("Account Number", "Account: Number", "Account"),
    "account_name": ("Account Name", "Account: Name"),
    "account_type": ("Account Type", "Account: Type"),
    "cost_centre": ("Department", "Department: Name", "Cost Center"),
    "amount": ("Amount", "Amount (Net)"),
    "debit": ("Amount (Debit)", "Debit", "Debit Amount"),
    "credit": ("Amount (Credit)", "Credit", "Credit Amount"),
    "currency": ("Currency",),
    "document": ("Document Number", "Transaction Number", "Num", "Internal ID"),
    "line": ("Line ID", "Line Sequence Number", "Line"),
    "counterparty": ("Name", "Entity", "Main Line Name"),
    "description": ("Memo", "Memo (Main)", "Description"),
}

_QUICKBOOKS = {
    "date": ("Date", "Transaction date"),
    "account": ("Account", "Distribution account", "Distribution account number", "Account full name"),
    "cost_centre": ("Class", "Class full name", "Department", "Location"),
    "amount": ("Amount",),
    "debit": ("Debit",),
    "credit": ("Credit",),
    "currency": ("Currency",),
    "amount_company": ("Home Amount", "Amount (home currency)"),
    "document": ("Num", "No."),
    "counterparty": ("Name", "Customer/Vendor", "Vendor", "Customer"),
    "description": ("Memo/Description", "Description", "Memo", "Line description"),
}

# Of the reports General Ledger Detail and Account Transactions, and of the tables of Xero's accounting API.
_XERO = {
    "date": ("Date", "Journal Date"),
    "posted_at": ("Created Date UTC", "Date Entered"),
    "account": ("Account ID", "Account Code"),
    "account_name": ("Account Name", "Account"),
    "account_type": ("Account Type",),
    "cost_centre": ("Department", "Cost Centre", "Tracking Option 1"),
    "amount": ("Net Amount", "Net", "Net (Source)"),
    "debit": ("Debit",),
    "credit": ("Credit",),
    "currency": ("Currency", "Currency Code"),
    "document": ("Journal ID", "Journal Number", "Invoice Number", "Reference"),
    "line": ("Journal Line ID",),
    "counterparty": ("Contact", "Contact Name"),
    "description": ("Description",),
}

_SAP = {
    "date": ("Posting Date", "Pstng Date", "Pstg Date", "Buchungsdatum", "Buch.dat.", "Buchungsdat"),
    "posted_at": ("Entry Date", "Entry Dte", "Day of Entry", "Erfassungsdatum", "Erf.Datum"),
    "account": ("G/L Account", "Account", "G/L", "Konto", "Sachkonto", "Hauptbuchkonto"),
    "account_name": ("G/L Account Name", "G/L Acct Long Text", "Account Name", "Kontobezeichnung"),
    "cost_centre": ("Cost Center", "Cost Ctr", "Kostenstelle", "Kostenst."),
    "amount": ("Amount in local currency", "Amount in local cur.", "Amt in loc.cur.", "LC Amount", "Betrag in Hauswährung",
               "Betrag Hauswähr", "Betr. in HW"),
    "currency": ("Local Currency", "LCurr", "LC Curr.", "Hauswährung", "HWähr"),
    "document": ("Document Number", "DocumentNo", "Doc. No.", "Document No.", "Belegnummer", "Belegnr"),
    "line": ("Line item", "Item", "Itm", "Position", "Pos"),
    "counterparty": ("Offsetting acct no.", "Offst.acct", "Trading Partner", "Gegenkonto"),
    "description": ("Text", "Document Header Text"),
}  # fmt: skip

# The batch of postings of DATEV's format: an amount without sign, debited to one account and credited to the other.
_DATEV = {
    "date": ("Belegdatum",),
    "account": ("Konto", "Kontonummer"),
    "contra_account": ("Gegenkonto (ohne BU-Schlüssel)", "Gegenkonto"),
    "amount": ("Umsatz (ohne Soll/Haben-Kz)", "Umsatz"),
    "side": ("Soll/Haben-Kennzeichen", "Soll-/Haben-Kennzeichen"),
    "currency": ("WKZ Umsatz",),
    "amount_company": ("Basisumsatz", "Basis-Umsatz"),
    "cost_centre": ("KOST1 - Kostenstelle", "KOST1-Kostenstelle", "KOST1"),
    "document": ("Belegfeld 1",),
    "description": ("Buchungstext",),
}

DEFAULTS: Mapping[Profile, Mapping[str, Any]] = {
    "generic": {"columns": _GENERIC},
    "netsuite": {"columns": _NETSUITE},
    # Its reports group postings under a row that names the account.
    "quickbooks_online": {"columns": _QUICKBOOKS, "headings": "account"},
    "xero": {"columns": _XERO, "headings": "account"},
    "sap_fbl3n": {"columns": _SAP},
    "datev": {"columns": _DATEV, "date_format": "%d%m", "decimal_mark": ",", "delimiter": ";"},
}
