"""Learns from the annotated texts of the example study which words carry content, and points them out on its pages.

Readers skip function words (the, of, and) far more often than content words (nouns, verbs, adjectives). Where nobody has
been recorded yet, that is a first guess at where eyes will rest. The model is a logistic regression by gradient descent,
and nothing but Python's standard library is needed.
"""

import json
import math
import os
import random
from pathlib import Path

parameters = json.loads(Path(os.environ["GAZELINE_PARAMETERS"]).read_text())
annotations = Path("derived/annotations")
results = Path(os.environ["GAZELINE_RESULTS"])
checkpoint = Path(os.environ["GAZELINE_CHECKPOINTS"]) / "model.json"
epochs, rate, decay = parameters.get("epochs", 300), parameters.get("rate", 1.0), parameters.get("decay", 0.001)
content = {"NOUN", "VERB", "ADJ", "ADV", "NUM"}


def features(word, is_first):
    """Only what can also be seen on a picture of a page: no dictionary, no grammar."""
    letters = [letter for letter in word.lower() if letter.isalpha()]
    vowels = sum(letter in "aeiouy" for letter in letters)
    return {
        "bias": 1.0,
        "length": len(word) / 10,
        "at most three letters": float(len(word) <= 3),
        "capital within a sentence": float(word[:1].isupper() and not is_first),
        "digits": float(any(letter.isdigit() for letter in word)),
        "share of vowels": vowels / len(letters) if letters else 0.0,
        "ends in -s, -ed or -ing": float(word.lower().endswith(("s", "ed", "ing"))),
        "begins with th or wh": float(word.lower().startswith(("th", "wh"))),
    }


def words_of(annotation):
    """Words with their features; the text before a word tells whether a sentence begins with it."""
    before = "."
    for area in annotation["areasOfInterest"]:
        word = area["label"] or ""
        if area["kind"] != "word" or not any(letter.isalnum() for letter in word):
            before = word if area["kind"] == "word" else before
            continue
        yield area, features(word, before[-1:] in ".!?")
        before = word


def chance(weights, found):
    return 1 / (1 + math.exp(-sum(weights.get(name, 0.0) * value for name, value in found.items())))


def loss_of(weights, examples):
    return -sum(math.log(max(1e-12, p if y else 1 - p)) for x, y in examples for p in [chance(weights, x)]) / len(examples)


def accuracy_of(weights, examples):
    return sum((chance(weights, x) > 0.5) == y for x, y in examples) / len(examples)


def read(path):
    return json.loads(path.read_text())


files = sorted(annotations.rglob("*.json"))
texts, pages = [], []
for file in files:
    annotation = read(file)
    (texts if annotation["kind"] == "text" else pages).append((file.relative_to(annotations), annotation))
examples = [
    (found, area["about"]["partOfSpeech"] in content) for _, text in texts for area, found in words_of(text)
]
print(f"{len(examples)} words of {len(texts)} texts; {len(pages)} pictures")
random.Random(7).shuffle(examples)
cut = len(examples) * 4 // 5
training, held_out = examples[:cut], examples[cut:]
if not held_out:
    raise SystemExit("There are too few words to learn from: are the texts annotated?")

weights, begin = {}, 0
if checkpoint.exists():
    saved = read(checkpoint)
    weights, begin = saved["weights"], saved["epoch"]
    print(f"goes on after epoch {begin}")

for epoch in range(begin + 1, epochs + 1):
    gradient = {name: decay * weight for name, weight in weights.items()}
    for found, is_content in training:
        error = (chance(weights, found) - is_content) / len(training)
        for name, value in found.items():
            gradient[name] = gradient.get(name, 0.0) + error * value
    weights = {name: weights.get(name, 0.0) - rate * slope for name, slope in gradient.items()}
    if epoch % max(1, epochs // 10) == 0:
        loss, accuracy = loss_of(weights, training), accuracy_of(weights, held_out)
        print(f"epoch {epoch}/{epochs}  loss {loss:.4f}  accuracy on held-out words {accuracy:.3f}")
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        unfinished = checkpoint.with_suffix(".new")
        unfinished.write_text(json.dumps({"epoch": epoch, "weights": weights}))
        unfinished.replace(checkpoint)

accuracy = accuracy_of(weights, held_out)
baseline = max(share := sum(y for _, y in held_out) / len(held_out), 1 - share)
found_on = {
    str(name).removesuffix(".json"): [
        {"word": area["label"], "box": area["box"], "chance": round(chance(weights, found), 3)}
        for area, found in words_of(page)
        if chance(weights, found) > 0.5
    ]
    for name, page in pages
}
model = {
    "model": "logistic regression: does a word carry content?",
    "weights": {name: round(weight, 4) for name, weight in sorted(weights.items())},
    "trainedOn": len(training),
    "heldOut": {"words": len(held_out), "accuracy": round(accuracy, 4), "baseline": round(baseline, 4)},
    "annotatedBy": sorted({text["annotator"]["service"] + (" (local models)" if text["annotator"]["local"] else "")
                           for _, text in texts}),
    "pages": found_on,
}
(results / "model.json").write_text(json.dumps(model, indent=2, ensure_ascii=False))
report = [
    "# Which words carry content?",
    "",
    f"On {len(held_out)} words that it had not seen, {accuracy:.1%} right. Always the more frequent answer: {baseline:.1%}.",
    f"The parts of speech that it learnt from are those of {', '.join(model['annotatedBy'])}.",
    "",
    "| feature | weight |",
    "| --- | ---: |",
    *(f"| {name} | {weight:+.2f} |" for name, weight in sorted(weights.items(), key=lambda item: -item[1])),
    "",
    *(f"- {name}: {len(words)} words to look at, as {', '.join(one['word'] for one in words[:5])}"
      for name, words in found_on.items() if words),
]
(results / "report.md").write_text("\n".join(report) + "\n")
print(f"accuracy {accuracy:.3f}, baseline {baseline:.3f}; wrote {results.name}/model.json and {results.name}/report.md")
