"""The tiny model itself: no engine is needed to make it."""

from hashlib import sha256

from tests.engine.tiny import model
from tests.engine.tiny.bpe import Tokenizer, letters, spelled
from tests.engine.tiny.text import functions

DIGEST = "bec99b6466b2447b5f22a5da197651debf200ccaad9b552536e5ec3314179955"


def test_the_file_is_the_same_to_the_bit_wherever_it_is_made():
    made = model.made()
    assert len(made) == 4_695_104
    assert sha256(made).hexdigest() == DIGEST


def test_every_byte_has_a_letter_of_its_own():
    assert len(set(letters())) == 256
    assert all(letter.isprintable() and letter != " " for letter in letters())


def test_what_is_tokenized_can_be_put_together_again():
    tokenizer = Tokenizer(functions(50), 200)
    text = 'def read_line(line):\n    return "ü", 12\n'
    told = "".join(tokenizer.tokens[number] for number in tokenizer.ids(text))
    assert told == spelled(text)
    assert len(tokenizer.ids(text)) < len(text.encode())


def test_its_functions_are_python():
    for text in functions(20):
        compile(text.replace("yield", "return"), "made", "exec")
