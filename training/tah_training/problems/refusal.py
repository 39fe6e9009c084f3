"""Questions outside of the subjects, all answered by the same sentence."""

from __future__ import annotations

import random

from .problem import Problem, canonical_key
from .stories import NAMES, THINGS
from .wording import careless

REFUSAL_TEXT = ("I have not learned this kind of problem: I can do arithmetic, fractions, percentages, powers and roots, gcd and lcm, linear and quadratic equations, "
                "systems, polynomials, unit conversions and short word problems.")

_COUNTRIES = "France Germany Japan Brazil Kenya Canada Spain Italy Norway Egypt Peru India China Poland Chile Cuba Greece Turkey Mexico Ghana Nepal Sweden Portugal Vietnam".split()
_PEOPLE = "Newton Einstein Napoleon Cleopatra Shakespeare Mozart Gandhi Darwin Euler Gauss Picasso Lincoln Caesar Beethoven Columbus Galileo Goethe Churchill".split()
_THEMES = ["photosynthesis", "gravity", "the French Revolution", "quantum mechanics", "machine learning", "the stock market", "love", "democracy", "climate change", "football", "jazz music", "volcanoes", "black holes", "the moon", "inflation", "DNA", "cooking", "a healthy breakfast"]
_LANGUAGES = ["Python", "Java", "JavaScript", "C++", "Rust", "SQL", "Go", "TypeScript", "bash"]
_TASKS = ["sort a list", "reverse a string", "read a file", "find the largest number", "connect to a database", "parse JSON", "print a triangle", "count words", "compute prime numbers", "send an email", "merge two arrays"]
_FOREIGN = ["Wie geht es dir?", "Was ist die Hauptstadt von {c}?", "Bonjour, comment ça va ?", "¿Qué hora es?", "¿Cuántos años tienes?", "Quelle est la capitale de {c} ?", "Ciao, come stai?", "今天天气怎么样？", "你好", "こんにちは", "Привет, как дела?", "Сколько стоит хлеб?",
            "Erzähl mir etwas über {c}", "Was hältst du von {p}?", "Hola, me llamo {n}", "Je m'appelle {n}", "Jak się masz?", "Hoe gaat het met {n}?", "Schreibe ein Gedicht über {c}.", "Berechne das Integral von {f}", "मुझे {c} के बारे में बताओ", "أين تقع {c}؟"]
_GREETINGS = ["hi", "hello", "Hey there", "Good morning!", "thanks", "Thank you very much!", "how are you?", "who are you", "What can you do?", "test", "ok", "yes", "no", "What is your name?", "lol", "tell me a joke", "bye", "Are you a robot?", "help me", "hello world", "asdf", "nice", "Who made you?"]
_FACTS = ["What is the capital of {c}?", "Who was {p}?", "When was {p} born?", "What language do people speak in {c}?", "How many people live in {c}?", "Write a poem about {t}.", "Explain {t}.", "What is {t}?", "Tell me about {c}", "Where is {c}?", "Who is the president of {c}?",
          "What did {p} do in {y}?", "What happened in {y}?", "Write an essay about {t}", "Translate 'good morning' into the language of {c}", "What is the weather in {c} today?", "recommend a book about {t}", "Why is {t} important?", "Give me a recipe with {g}", "Who won the world cup in {y}?",
          "Summarize the life of {p}.", "Is {t} good or bad?", "How does {t} work?", "List {k} facts about {t}", "What do {g} cost in {c}?", "How old is {p}?", "Name {k} cities in {c}", "In which year did {p} visit {c}?", "What is the population of {c} in {y}?", "{t}", "{c}", "{p}"]
_CODING = ["Write a {l} program to {k2}.", "How do I {k2} in {l}?", "{l} code to {k2}", "fix my {l} function", "What does this {l} error mean?", "import numpy as np", "def f(x): return x + {k}", "SELECT * FROM users WHERE id = {k};", "console.log({k})", "for i in range({k}): print(i)",
           "let x = {k}; x += {k};", "git push origin main", "#include <stdio.h>", "What is the difference between {l} and {l3}?", "for (int i = 0; i < {k}; i++)", "explain recursion in {l}", "int main() {{ return {k}; }}"]
_HIGHER = ["Find the integral of {f}.", "\\int {f} dx", "$\\int_0^{k} {f}\\,dx$", "integrate {f}", "∫ {f} dx", "Prove that the square root of {k} is irrational.", "Prove that the angles of a triangle sum to 180 degrees.", "sin({k})", "cos({k}°) = ?", "What is log({k})?", "\\log_{k2n} {k}",
           "Find the limit of {f} as x goes to {k}.", "$\\lim_{{x\\to {k}}} {f}$", "Solve the differential equation y' = {f}", "Find the eigenvalues of the matrix [[{k}, {k2n}], [{k3}, {k4}]].", "What is {k} factorial?", "{k}!", "Is {k} a prime number?", "prime factorization of {k}", "Convert {k} to binary.",
           "Find the determinant of [[{k},{k2n}],[{k3},{k4}]]", "Find the area of a circle with radius {k}.", "In a triangle ABC, AB = {k}, BC = {k2n} and angle B = {k3} degrees. Find AC.", "What is the volume of a sphere with radius {k}?", "Two dice are thrown. What is the probability that the sum is {k}?",
           "A bag has {k} red and {k2n} blue balls. Two are drawn at random. What is the probability that both are red?", "In how many ways can {k} people sit in a row?", "How many permutations of {k} letters are there?", "Find the mean and median of {k}, {k2n}, {k3}, {k4}.", "Solve x^3 + {k}x^2 - {k2n}x + {k3} = 0",
           "Solve {k}x + {k2n} > {k3}", "{k}x - {k2n} < {k3}", "solve the inequality x^2 > {k}", "|x - {k}| = {k2n}", "e^x = {k}", "2^x = {k}", "Find the {k}th Fibonacci number", "sum of all integers from 1 to {k}", "Find x, y, z: x+y+z={k}, x-y={k2n}, y+z={k3}", "Let G be a group of order {k}. Prove that G is abelian.",
           "tan x = {k}", "What is the slope of the line through ({k}, {k2n}) and ({k3}, {k4})?", "i^{k}", "({k}+{k2n}i)({k3}-{k4}i)", "Find the Taylor series of {f}", "{k} mod {k2n}", "{k} choose {k2n}", "Calculate the standard deviation of {k}, {k2n}, {k3}", "Pythagoras: a = {k}, b = {k2n}, find c",
           "Find the inverse function of {f}", "Graph y = {f}", "Factor {f} over the complex numbers", "Find the second derivative of sin({k}x)", "derivative of sin({k}x)", "derivative of e^({k}x)", "round {k}.{k2n} to the nearest whole number", "What is the next number: {k}, {k2n}, {k3}, ...?", "Which is larger, {k} or {k2n}?"]
_WEEK = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_JOBS = ["farmer", "teacher", "baker", "doctor", "gardener", "driver", "painter", "student", "shopkeeper", "builder", "chef", "coach"]


def _sentences(rng: random.Random) -> list[str]:
    """Pieces of long stories that need more than the short word problems teach."""
    name, other, third = rng.sample(NAMES, 3)
    thing, second = rng.sample(THINGS, 2)
    n = [rng.randint(2, 60) for _ in range(12)]
    she = rng.choice(["She", "He", "They"])
    begin = [f"{name} is a {rng.choice(_JOBS)} and works {n[0]} hours a day, {n[1] % 6 + 2} days a week.", f"{name}, {other} and {third} are planning a party for {n[0]} guests.", f"Last {rng.choice(_WEEK)} {name} picked {n[0]} {thing}, which was half as many as {other} picked.",
             f"A {rng.choice(_JOBS)} has a {rng.choice(['shop', 'field', 'house', 'truck', 'farm'])} that makes {n[0]} {thing} every {rng.choice(['hour', 'day', 'week'])}.", f"{name} wants to save ${n[0] * 10} for a new bike.", f"In a school of {n[0] * 10} students, {n[1]}% play football and the rest play chess.",
             f"{name} runs {n[0]} miles on {rng.choice(_WEEK)} and twice as far on {rng.choice(_WEEK)}.", f"A tank holds {n[0] * 10} gallons of water and leaks {n[1]} gallons every hour.", f"{name} is reading a book with {n[0] * 8} pages.", f"{name}'s {thing} weigh three times as much as {other}'s {second}."]
    middle = [f"{she} sells each of the {thing} for ${n[2]} but has to pay ${n[3]} for every {n[4] % 9 + 2} {second}.", f"After lunch, {n[2] % 4 + 2}/{n[3] % 4 + 6} of the {thing} were gone.", f"On {rng.choice(_WEEK)}, {other} took {n[2]} more than a third of what was left.", f"Each week {she.lower()} spends ${n[5]} on food and ${n[6]} on the bus.",
              f"{third} has {n[7]} fewer {thing} than {name} and {other} together.", f"Every {second[:-1]} costs ${n[8]}.{n[9] + 10}, and there is a discount of {n[10]}% for more than {n[11]}.", f"{she} already had {n[2]} of them from last year.", f"For the next {n[3]} days {she.lower()} does {n[4]}% more than the day before.", f"The {second} were {n[5]} inches tall when they were planted.",
              f"{other} eats {n[6] % 5 + 2} of them for breakfast every morning and bakes muffins with {n[7] % 5 + 3}.", f"Of these, {n[8]} were broken and had to be thrown away."]
    end = [f"How much money does {name} make in {n[9]} weeks?", f"How many {thing} are left in the end?", f"What is the total cost in dollars?", f"How many hours will it take?", f"How many more {thing} does {third} need?", f"How much profit did {name} make?", f"What is the average per day?", f"How many {second} does each of them get?", f"How old is {third} now?", f"How much did they spend altogether?"]
    return [rng.choice(begin), *rng.sample(middle, rng.choice([1, 2, 2, 3])), rng.choice(end)]


def _random_text(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.4:
        return "".join(rng.choice("abcdefghijklmnopqrstuvwxyz    .,;!?äöüéñßçøå") for _ in range(rng.randint(4, 60)))
    if kind < 0.6:
        return " ".join(rng.choice(["the", "a", "cat", "sky", "runs", "of", "green", "under", "music", "and", "car", "when", "tree", "blue", "went", "home", "is", "he", "my", "friend", "dog", "to", "school", "was", "not", "very", "they", "walk", "slowly"]) for _ in range(rng.randint(3, 18)))
    if kind < 0.8:
        return "".join(chr(rng.choice([rng.randint(0x4E00, 0x9FA5), rng.randint(0x3041, 0x3096), rng.randint(0x430, 0x44F), rng.randint(0x5D0, 0x5EA), rng.randint(0x1F600, 0x1F64F)])) for _ in range(rng.randint(2, 20)))
    return "".join(rng.choice("+-*/=()[]{}<>$#@&|~_?!., ") for _ in range(rng.randint(2, 20)))


def _filled(template: str, rng: random.Random) -> str:
    k = [rng.randint(2, 99) for _ in range(4)]
    f = rng.choice([f"x^{k[0] % 5 + 2}", f"sin({k[1]}x)", f"{k[0]}x^2 + {k[1]}", "1/x", f"e^({k[0]}x)", "ln x", f"x^2 - {k[1]}x + {k[2]}", "\\frac{1}{x}", "\\sqrt{x}", f"{k[0]}x"])
    values = {"c": rng.choice(_COUNTRIES), "p": rng.choice(_PEOPLE), "t": rng.choice(_THEMES), "n": rng.choice(NAMES), "g": rng.choice(THINGS), "y": rng.randint(1066, 2024), "l": rng.choice(_LANGUAGES), "l3": rng.choice(_LANGUAGES), "k": k[0], "k2n": k[1], "k3": k[2], "k4": k[3], "k2": rng.choice(_TASKS), "f": f}
    for name, value in values.items():
        template = template.replace("{" + name + "}", str(value))
    return template.replace("{{", "{").replace("}}", "}")


def make_refusal(rng: random.Random) -> Problem:
    kind = rng.choices(["story", "fact", "coding", "higher", "foreign", "greeting", "random"], [34, 18, 8, 22, 6, 5, 7])[0]
    if kind == "story":
        question = " ".join(_sentences(rng))
    elif kind == "random":
        question = _random_text(rng).strip() or "?"
    else:
        question = _filled(rng.choice({"fact": _FACTS, "coding": _CODING, "higher": _HIGHER, "foreign": _FOREIGN, "greeting": _GREETINGS}[kind]), rng)
    return Problem("refuse", canonical_key("refuse", kind, question), careless(question, rng), REFUSAL_TEXT, None)
