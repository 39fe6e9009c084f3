"""Short word problems of one to three operations, from varied templates."""

from __future__ import annotations

import random
from collections.abc import Callable

from .arithmetic import division_lines, product_lines
from .problem import Problem, canonical_key, solved
from .wording import careless

NAMES = ("Anna Ben Clara David Emma Felix Grace Hugo Ida Jonas Kate Liam Mia Noah Olga Paul Rosa Sam Tina Vera Will Zoe Lena Omar Aisha Ravi Mei Tom Maria Lucas Nina Peter "
         "Sara Leo Eva Max Julia Adam").split()
THINGS = ("apples pens books stickers marbles cards coins cookies balls pencils stamps eggs oranges shells toys candies photos flowers stones buttons pears notebooks "
          "cupcakes beads tickets badges").split()
PLACES = "box boxes,bag bags,shelf shelves,basket baskets,packet packets,row rows,table tables,crate crates,tray trays,album albums".split(",")
MONEY = ["$", "euros", "dollars", "pounds"]

Made = tuple[str, str, list[object], list[str], int]


def _two_names(rng: random.Random) -> tuple[str, str]:
    first, second = rng.sample(NAMES, 2)
    return first, second


def _price(value: int, money: str) -> str:
    return f"${value}" if money == "$" else f"{value} {money}"


def _gain(rng: random.Random) -> Made:
    (name, other), thing = _two_names(rng), rng.choice(THINGS)
    a, b = rng.randint(3, 99), rng.randint(2, 99)
    text = rng.choice([
        f"{name} has {a} {thing} and gets {b} more from {other}. How many {thing} does {name} have now?",
        f"{name} has {a} {thing}. {other} gives {name} {b} more. How many {thing} does {name} have?",
        f"{name} collected {a} {thing} on Monday and {b} on Tuesday. How many {thing} is that in total?",
        f"There are {a} {thing} in one box and {b} in another. How many {thing} are there altogether?",
        f"{name} has {a} {thing} and {other} has {b} {thing}. How many {thing} do they have together?"])
    return "sum", text, sorted([a, b]), [f"${a}+{b}={a + b}$"], a + b


def _loss(rng: random.Random) -> Made:
    (name, other), thing = _two_names(rng), rng.choice(THINGS)
    a = rng.randint(10, 150)
    b = rng.randint(2, a - 1)
    verb = rng.choice([f"gives {b} to {other}", f"loses {b} of them", f"sells {b}", f"gives away {b}", f"gives {other} {b} of them"])
    text = rng.choice([
        f"{name} has {a} {thing} and {verb}. How many {thing} are left?",
        f"{name} had {a} {thing}. Then {name} {verb}. How many {thing} does {name} have now?",
        f"{name} has {a} {thing} and {other} has {b} {thing}. How many more {thing} does {name} have than {other}?",
        f"There were {a} {thing} in a shop. {b} were sold. How many {thing} remain?"])
    return "difference", text, [a, b], [f"${a}-{b}={a - b}$"], a - b


def _groups(rng: random.Random) -> Made:
    name, thing = rng.choice(NAMES), rng.choice(THINGS)
    one, many = rng.choice(PLACES).split()
    a, b = rng.randint(2, 12), rng.randint(2, 40)
    text = rng.choice([
        f"{name} has {a} {many} with {b} {thing} each. How many {thing} does {name} have?",
        f"There are {a} {many} with {b} {thing} in each {one}. How many {thing} are there in total?",
        f"Each {one} holds {b} {thing}. How many {thing} are in {a} {many}?",
        f"{name} buys {a} {many} of {thing}. Every {one} contains {b} {thing}. How many {thing} is that?"])
    return "groups", text, [a, b], product_lines(b, a), a * b


def _sharing(rng: random.Random) -> Made:
    name, thing = rng.choice(NAMES), rng.choice(THINGS)
    one, many = rng.choice(PLACES).split()
    by, each = rng.randint(2, 12), rng.randint(2, 60)
    total = by * each
    text = rng.choice([
        f"{name} shares {total} {thing} equally among {by} friends. How many {thing} does each friend get?",
        f"{total} {thing} are packed into {by} {many} equally. How many {thing} are in each {one}?",
        f"{name} has {total} {thing} and puts {by} into each {one}. How many {many} does {name} need?",
        f"{by} children share {total} {thing} equally. How many does each child get?"])
    return "sharing", text, [total, by], division_lines(total, by), each


def _shopping(rng: random.Random) -> Made:
    name, money = rng.choice(NAMES), rng.choice(MONEY)
    thing, other = rng.sample(THINGS, 2)
    a, p, b, q = rng.randint(2, 9), rng.randint(1, 12), rng.randint(2, 9), rng.randint(1, 12)
    text = rng.choice([
        f"{name} buys {a} {thing} at {_price(p, money)} each and {b} {other} at {_price(q, money)} each. How much does {name} pay?",
        f"One of the {thing} costs {_price(p, money)} and one of the {other} costs {_price(q, money)}. How much do {a} {thing} and {b} {other} cost together?",
        f"{name} bought {a} {thing} for {_price(p, money)} each and {b} {other} for {_price(q, money)} each. What is the total cost?"])
    return "shopping", text, sorted([[a, p], [b, q]]), [f"{thing}: ${a}\\cdot{p}={a * p}$", f"{other}: ${b}\\cdot{q}={b * q}$", f"Together: ${a * p}+{b * q}={a * p + b * q}$"], a * p + b * q


def _change(rng: random.Random) -> Made:
    name, money, thing = rng.choice(NAMES), rng.choice(MONEY), rng.choice(THINGS)
    a, p = rng.randint(2, 9), rng.randint(1, 12)
    paid = rng.choice([v for v in (10, 20, 30, 50, 100, 120) if v > a * p] or [200])
    text = rng.choice([
        f"{name} buys {a} {thing} at {_price(p, money)} each and pays with {_price(paid, money)}. How much change does {name} get?",
        f"{name} has {_price(paid, money)} and buys {a} {thing} for {_price(p, money)} each. How much money is left?",
        f"{a} {thing} cost {_price(p, money)} each. {name} pays with {_price(paid, money)}. What is the change?"])
    return "change", text, [a, p, paid], [f"Cost: ${a}\\cdot{p}={a * p}$", f"Left: ${paid}-{a * p}={paid - a * p}$"], paid - a * p


def _travel(rng: random.Random) -> Made:
    vehicle = rng.choice(["A car", "A train", "A bus", "A cyclist", "A truck", "A boat"])
    speed, hours = rng.randint(2, 24) * 5, rng.randint(2, 9)
    way = speed * hours
    kind = rng.choice(["way", "time", "speed"])
    if kind == "way":
        text = rng.choice([f"{vehicle} travels at {speed} km/h for {hours} hours. How far does it go?", f"{vehicle} drives {hours} hours at {speed} km per hour. How many km is that?"])
        return "way", text, [speed, hours], [f"Distance: ${speed}\\cdot{hours}$", *product_lines(speed, hours)], way
    if kind == "time":
        text = rng.choice([f"{vehicle} travels {way} km at {speed} km/h. How many hours does it take?", f"How long does {vehicle.lower()} need for {way} km at {speed} km/h?"])
        return "time", text, [way, speed], [f"Time: ${way}\\div{speed}={hours}$"], hours
    text = rng.choice([f"{vehicle} travels {way} km in {hours} hours. What is its speed in km/h?", f"{vehicle} needs {hours} hours for {way} km. How fast is it in km/h?"])
    return "speed", text, [way, hours], [f"Speed: ${way}\\div{hours}$", *division_lines(way, hours)], speed


def _age(rng: random.Random) -> Made:
    name, other = _two_names(rng)
    if rng.random() < 0.5:
        a, b = rng.randint(4, 60), rng.randint(2, 30)
        older = rng.random() < 0.5
        text = f"{name} is {a + b if not older else a} years old. {other} is {b} years {'older' if older else 'younger'}. How old is {other}?"
        return ("older", text, [a, b], [f"${a}+{b}={a + b}$"], a + b) if older else ("younger", text, [a + b, b], [f"${a + b}-{b}={a}$"], a)
    a, factor = rng.randint(3, 15), rng.randint(2, 5)
    word = {2: "twice", 3: "three times", 4: "four times", 5: "five times"}[factor]
    text = rng.choice([f"{name} is {a} years old. {other} is {word} as old. How old are they together?", f"{other} is {word} as old as {name}, who is {a}. What is the sum of their ages?"])
    return "ages", text, [a, factor], [f"{other}: ${a}\\cdot{factor}={a * factor}$", f"Together: ${a}+{a * factor}={a + a * factor}$"], a + a * factor


def _two_steps(rng: random.Random) -> Made:
    (name, other), thing = _two_names(rng), rng.choice(THINGS)
    one, many = rng.choice(PLACES).split()
    if rng.random() < 0.5:
        a, b, c = rng.randint(2, 9), rng.randint(2, 20), rng.randint(1, 30)
        c = min(c, a * b - 1)
        verb = rng.choice([f"gives {c} to {other}", f"loses {c}", f"sells {c} of them", f"gives away {c}"])
        text = rng.choice([f"{name} has {a} {many} with {b} {thing} each and {verb}. How many {thing} are left?", f"{name} buys {a} {many} of {b} {thing} and {verb}. How many {thing} does {name} have now?"])
        return "groups less", text, [a, b, c], [f"${a}\\cdot{b}={a * b}$", f"${a * b}-{c}={a * b - c}$"], a * b - c
    a = rng.randint(10, 99)
    b, c = rng.randint(2, a - 1), rng.randint(2, 60)
    text = rng.choice([f"{name} has {a} {thing}, gives {b} to {other} and then finds {c} more. How many {thing} does {name} have now?", f"{name} had {a} {thing}. {name} sold {b} and bought {c} new ones. How many {thing} does {name} have?",
                       f"A bus has {a} passengers. At a stop {b} get off and {c} get on. How many passengers are on the bus now?"])
    return "less more", text, [a, b, c], [f"${a}-{b}={a - b}$", f"${a - b}+{c}={a - b + c}$"], a - b + c


def _rectangle(rng: random.Random) -> Made:
    a, b = rng.randint(3, 30), rng.randint(2, 12)
    field, unit = rng.choice(["rectangle", "garden", "room", "field"]), rng.choice(["cm", "m"])
    if rng.random() < 0.5:
        text = f"A {field} is {a} {unit} long and {b} {unit} wide. What is its area?"
        return "area", text, sorted([a, b]), [f"Area: ${a}\\cdot{b}$", *product_lines(a, b)], a * b
    text = f"A {field} is {a} {unit} long and {b} {unit} wide. What is its perimeter?"
    return "perimeter", text, sorted([a, b]), [f"${a}+{b}={a + b}$", f"Perimeter: $2\\cdot{a + b}={2 * (a + b)}$"], 2 * (a + b)


def _number_riddle(rng: random.Random) -> Made:
    a, x, b = rng.randint(2, 9), rng.randint(1, 20), rng.randint(1, 30)
    c = a * x + b
    text = rng.choice([f"I think of a number, multiply it by {a} and add {b}. The result is {c}. What is my number?", f"{a} times a number plus {b} is {c}. Find the number.", f"If you multiply a number by {a} and add {b} you get {c}. What is the number?"])
    return "riddle", text, [a, b, c], [f"${a}x+{b}={c}$", f"${a}x={c - b}$", f"$x={x}$"], x


_TEMPLATES: list[Callable[[random.Random], Made]] = [_gain, _loss, _groups, _sharing, _shopping, _change, _travel, _age, _two_steps, _rectangle, _number_riddle, _shopping, _two_steps]


def make_story(rng: random.Random) -> Problem:
    kind, text, parts, lines, value = rng.choice(_TEMPLATES)(rng)
    return Problem("word_problems", canonical_key("word_problems", kind, *parts), careless(text, rng), solved(lines, str(value)), str(value))
