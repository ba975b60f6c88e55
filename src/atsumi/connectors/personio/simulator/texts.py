"""Names and texts of the invented company. Nobody in here exists."""

from __future__ import annotations

from typing import NamedTuple

COMPANIES = (
    ("lindenhof", "Lindenhof Beispiel GmbH"),
    ("ahornwerk", "Ahornwerk Beispiel GmbH"),
    ("birkenfeld", "Birkenfeld Beispiel AG"),
    ("eschental", "Eschental Beispiel SE"),
    ("ulmenau", "Ulmenau Beispiel GmbH"),
)

MAIL_DOMAINS = ("example.com", "example.org", "example.net", "mail.example", "post.example")

# (given name, gender, how it is written in an e-mail address)
GIVEN_NAMES: tuple[tuple[str, str, str], ...] = (
    ("Anna", "female", "anna"), ("Ben", "male", "ben"), ("Clara", "female", "clara"), ("David", "male", "david"),
    ("Elif", "female", "elif"), ("Finn", "male", "finn"), ("Greta", "female", "greta"), ("Hannes", "male", "hannes"),
    ("İpek", "female", "ipek"), ("Jonas", "male", "jonas"), ("Käthe", "female", "kaethe"), ("Lukas", "male", "lukas"),
    ("Mia", "female", "mia"), ("Noël", "male", "noel"), ("Özlem", "female", "oezlem"), ("Paul", "male", "paul"),
    ("Renée", "female", "renee"), ("Søren", "male", "soeren"), ("Tamara", "female", "tamara"), ("Uwe", "male", "uwe"),
    ("Vera", "female", "vera"), ("Willem", "male", "willem"), ("Zoë", "female", "zoe"), ("Łukasz", "male", "lukasz"),
    ("Björn", "male", "bjoern"), ("Jürgen", "male", "juergen"), ("Aylin", "female", "aylin"), ("Kim", "diverse", "kim"),
    ("Alex", "diverse", "alex"), ("Sascha", "diverse", "sascha"), ("Jean-Luc", "male", "jean-luc"),
    ("Marie Luise", "female", "marie.luise"), ("Наталья", "female", "natalya"), ("Дмитрий", "male", "dmitriy"),
    ("Ελένη", "female", "eleni"), ("健太", "male", "kenta"), ("美咲", "female", "misaki"), ("ليلى", "female", "layla"),
    ("Nguyễn", "male", "nguyen"), ("Chiara", "female", "chiara"),
)  # fmt: skip

FAMILY_NAMES: tuple[tuple[str, str], ...] = (
    ("Ahrendt", "ahrendt"), ("Bäcker", "baecker"), ("Corvin", "corvin"), ("Dörfler", "doerfler"), ("Eich", "eich"),
    ("Fährmann", "faehrmann"), ("Größling", "groessling"), ("Hübenthal", "huebenthal"), ("Immich", "immich"),
    ("Jäckle", "jaeckle"), ("Krüß", "kruess"), ("Löwenherz", "loewenherz"), ("Möllring", "moellring"),
    ("Nußbaum", "nussbaum"), ("Østergård", "oestergaard"), ("Pfänder", "pfaender"), ("Quast", "quast"),
    ("Rößner", "roessner"), ("Schäferling", "schaeferling"), ("Tannhauser", "tannhauser"), ("Übelhör", "uebelhoer"),
    ("von der Linde", "vonderlinde"), ("Weißgerber", "weissgerber"), ("Yıldırım", "yildirim"), ("Zöllner", "zoellner"),
    ("O'Malley", "omalley"), ("Díaz-Roble", "diaz-roble"), ("Çelik", "celik"), ("Kowalczyk", "kowalczyk"),
    ("Novák", "novak"), ("Иванова", "ivanova"), ("Παππάς", "pappas"), ("山田", "yamada"), ("حداد", "haddad"),
    ("Trần", "tran"), ("D'Angelo", "dangelo"), ("Mäkinen", "maekinen"), ("Sjöberg", "sjoeberg"),
    ("Meyer-Brandt", "meyer-brandt"), ("Szabó", "szabo"),
)  # fmt: skip

PLACES = (
    "Berlin", "Hamburg", "München", "Köln", "Leipzig", "Dresden", "Nürnberg", "Zürich", "Wien", "Graz", "Kraków",
    "Praha", "Aarhus", "Utrecht", "Lyon", "Porto", "Sofia, Bulgaria", "Remote", "10115 Berlin", "東京",
)  # fmt: skip

OFFICES = ("Berlin", "Hamburg", "München", "Leipzig", "Wien", "Remote")

AVAILABLE_FROM = ("sofort", "As soon as possible", "in 3 Monaten", "nach Absprache", "01.04.", "Q2")

CHANNELS = (
    "Karriereseite", "Stellenbörse", "Empfehlung", "Personalberatung", "Hochschulmesse", "Soziale Medien",
    "Initiativbewerbung",
)  # fmt: skip

ROLES = (
    "Recruiter", "Hiring Manager", "HR Manager", "Talent Acquisition Partner", "Senior Recruiterin",
    "Fachbereichsleitung", "Interviewer", "Recruiting Koordination",
)  # fmt: skip

STAGE_SETS: dict[str, tuple[str, ...]] = {
    "Fachkräfte": ("Sichtung", "Telefoninterview", "Erstgespräch", "Fachgespräch", "Probearbeiten"),
    "Tech": ("Screening", "Phone interview", "Coding task", "On-site interview", "Team meeting"),
    "Studierende": ("Sichtung", "Kennenlernen"),
    "Führungskräfte": ("Sichtung", "Erstgespräch", "Assessment", "Gespräch Geschäftsleitung", "Referenzen"),
    "Initiativ": ("Sichtung", "Rückruf"),
}


class Title(NamedTuple):
    """A kind of position."""

    department: str
    category: str
    de: str
    en: str
    occupation: str
    occupation_category: str
    keywords: str


TITLES: tuple[Title, ...] = (
    Title("Engineering", "Tech", "Backend-Entwickler (m/w/d)", "Backend Engineer (f/m/d)",
          "software_and_web_development", "it_software", "backend, python ,sql"),
    Title("Engineering", "Tech", "Frontend-Entwicklerin (w/m/d)", "Frontend Engineer (f/m/d)",
          "software_and_web_development", "it_software", "frontend,typescript , barrierefreiheit"),
    Title("Engineering", "Tech", "Systemadministration & Betrieb (m/w/d)", "Site Reliability Engineer (f/m/d)",
          "system_administration", "it_software", "linux,betrieb"),
    Title("Daten & Analyse", "Tech", "Datenanalyst (m/w/d)", "Data Analyst (f/m/d)",
          "data_analysis", "it_software", "sql, statistik"),
    Title("Vertrieb", "Fachkräfte", "Vertriebsinnendienst (m/w/d)", "Inside Sales Representative (f/m/d)",
          "inside_sales", "sales_and_business_development", "vertrieb, beratung"),
    Title("Vertrieb", "Führungskräfte", "Regionalleitung Vertrieb (m/w/d)", "Regional Sales Lead (f/m/d)",
          "sales_management", "sales_and_business_development", "vertrieb,leitung"),
    Title("Personal", "Fachkräfte", "Personalreferent (m/w/d)", "People Partner (f/m/d)",
          "hr_generalist", "human_resources", "personal"),
    Title("Finanzen", "Fachkräfte", "Buchhalter (m/w/d)", "Accountant (f/m/d)",
          "accounting", "finance", "buchhaltung, abschluss"),
    Title("Kundendienst", "Fachkräfte", "Kundenberatung (m/w/d)", "Customer Advisor (f/m/d)",
          "customer_service", "customer_service", "kundendienst ,telefon"),
    Title("Logistik", "Fachkräfte", "Lagerlogistik (m/w/d)", "Warehouse Specialist (f/m/d)",
          "warehouse", "logistics", "lager"),
    Title("Produktion", "Führungskräfte", "Schichtleitung Produktion (m/w/d)", "Production Shift Lead (f/m/d)",
          "production_management", "manufacturing", "produktion, schicht"),
    Title("Engineering", "Studierende", "Werkstudent Entwicklung (m/w/d)", "Working Student Engineering (f/m/d)",
          "software_and_web_development", "it_software", "werkstudent"),
    Title("Marketing", "Studierende", "Praktikum Marketing (m/w/d)", "Marketing Intern (f/m/d)",
          "marketing", "marketing_and_product", "praktikum,marketing"),
    Title("Büro", "Fachkräfte", "Empfang & Büroorganisation <Teilzeit>", "Reception & Office <part-time>",
          "reception", "administrative_and_clerical", "empfang, büro"),
    Title("Personal", "Initiativ", "Initiativbewerbung", "Speculative application",
          "other", "other", ""),
)  # fmt: skip

SENIORITY_PREFIXES = ("", "", "", "Senior ", "Junior ", "Lead ")


def descriptions(title: str, department: str, language: str) -> list[tuple[str, str]]:
    """Return the sections (heading, HTML) of a job text; any language but English gives German."""
    if language == "en":
        return [
            ("Your tasks", f"<p>You join our {department} team as {_html(title)}.</p><ul><li>Shape your field</li>"
                           "<li>Keep things running &amp; improve them</li></ul>"),
            ("Your profile", "<ul><li>Curiosity and care</li><li>Good command of German <em>or</em> English</li></ul>"),
            ("What we offer", "<p>30 days of leave, flexible hours &ndash; and time to do it right.</p>"),
        ]  # fmt: skip
    return [
        ("Deine Aufgaben", f"<p>Du verstärkst unser Team {_html(department)} als {_html(title)}.</p><ul>"
                           "<li>Deinen Bereich gestalten</li><li>Größere Umbauten begleiten</li></ul>"),
        ("Dein Profil", "<ul><li>Neugier und Sorgfalt</li><li>Gutes Deutsch <em>oder</em> Englisch</li></ul>"),
        ("Das bieten wir", "<p>30 Tage Urlaub, Gleitzeit, Dachterrasse &ndash; und Zeit, es richtig zu machen.</p>"),
    ]  # fmt: skip


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class Asked(NamedTuple):
    """A configured applicant attribute that forms may ask."""

    kind: str
    de: str
    en: str
    hint_de: str = ""
    hint_en: str = ""
    options: tuple[tuple[str, str], ...] = ()


QUESTIONS: tuple[Asked, ...] = (
    Asked("text", "Wie bist du auf uns aufmerksam geworden?", "How did you hear about us?"),
    Asked("textarea", "Warum möchtest du bei uns arbeiten?", "Why would you like to work with us?",
          "Zwei bis drei Sätze genügen.", "Two or three sentences will do."),
    Asked("select", "Welcher Standort passt dir am besten?", "Which location suits you best?", options=(
          ("Berlin", "Berlin"), ("Hamburg", "Hamburg"), ("Von zu Hause", "From home"))),
    Asked("checkbox", "Ich habe eine gültige Arbeitserlaubnis", "I hold a valid work permit"),
    Asked("number", "Jahre an Berufserfahrung", "Years of professional experience"),
    Asked("date", "Frühester Eintritt", "Earliest starting date"),
    Asked("file", "Arbeitsprobe", "Work sample", "PDF, höchstens 20 MB.", "PDF, 20 MB at most."),
    Asked("select", "Deutschkenntnisse", "Command of German", options=(
          ("Grundlagen", "Basic"), ("Fließend", "Fluent"), ("Muttersprache", "Native"))),
    Asked("multiselect", "Führerscheinklassen", "Driving licence classes", options=(
          ("B", "B"), ("C", "C"), ("CE", "CE"))),
    Asked("text", "Gehaltsrahmen & Arbeitszeit", "Salary range & working hours"),
)  # fmt: skip

FORM_LABELS: dict[str, tuple[str, str]] = {
    "first_name": ("Vorname", "First name"),
    "last_name": ("Nachname", "Last name"),
    "email": ("E-Mail", "Email"),
    "phone": ("Telefon", "Phone"),
    "location": ("Wohnort", "Location"),
    "birthday": ("Geburtsdatum", "Birthday"),
    "gender": ("Geschlecht", "Gender"),
    "available_from": ("Verfügbar ab", "Available from"),
    "salary_expectations": ("Gehaltsvorstellung", "Salary expectations"),
    "message": ("Nachricht", "Message"),
    "documents.cv": ("Lebenslauf", "CV"),
    "documents.cover-letter": ("Anschreiben", "Cover letter"),
    "documents.other": ("Weitere Unterlagen", "Other documents"),
}
"""Labels of the built-in form controls, German and English."""
