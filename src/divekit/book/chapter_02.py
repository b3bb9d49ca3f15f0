"""Chapter 2: Preliminaries."""

from divekit.book.rows import Chapter, Section

CHAPTER = Chapter(
    2,
    "Preliminaries",
    folder="02_preliminaries",
    sections=(
        Section(
            "2.1",
            "Data Manipulation",
            script="01_data_manipulation.py",
            sabotage=(("torch.from_numpy(array)", "torch.tensor(array)"),),
            errata=(
                "The edition says that a tensor turned into a NumPy array, or back, shares no "
                "memory. In torch .numpy() and from_numpy share; torch.tensor copies.",
                "It shows in-place operations by id(), which names the Python object and not its "
                "numbers; writing to a slice cannot change it. Here data_ptr() is compared.",
                "It explains broadcasting as copying. Nothing is copied: the stretched axis has "
                "stride 0.",
            ),
        ),
        Section(
            "2.2",
            "Data Preprocessing",
            script="02_data_preprocessing.py",
            sabotage=(("encode(new, learned)", "encode(new, learn(new))"),),
            errata=(
                "The mean of a table with words in it is an error since pandas 2.0, and indicator "
                "columns are true and false: beside numbers they make an array of objects, which "
                "torch refuses. Here each column is treated by its kind, and all become float32.",
                "Means and categories are taken from whatever rows are at hand, so new rows would "
                "get other columns. Here they are learned on the training rows only.",
            ),
        ),
        Section(
            "2.3",
            "Linear Algebra",
            script="03_linear_algebra.py",
            sabotage=(("total = total + a * b", "total = total + a + b"),),
        ),
        Section(
            "2.4",
            "Calculus",
            script="04_calculus.py",
            sabotage=(
                ("return 3 * x**2 - 4 * x", "return 2 * x**2 - 4 * x"),
                ("return (f(x + h) - f(x)) / h", "return (f(x + h) - f(x)) / (2 * h)"),
                ("x[..., 1] + x[..., 1] ** 3", "x[..., 1] + x[..., 1] ** 2"),
                ("by_formula = (A + A.T) @ v", "by_formula = 2 * A @ v"),
                ("return torch.stack([2 * t, t**2]", "return torch.stack([3 * t, t**2]"),
            ),
        ),
        Section(
            "2.5",
            "Automatic Differentiation",
            script="05_automatic_differentiation.py",
            sabotage=(("square.detach()", "square"),),
            errata=(
                "The edition's example of control flow never returns at 0, which doubling leaves "
                "as it is. Here the loop stops there.",
            ),
        ),
        Section(
            "2.6",
            "Probability",
            script="06_probability.py",
            sabotage=(("torch.ones(6) / 6", "torch.arange(1.0, 7.0) / 21"),),
            errata=(
                "The edition calls the distribution of a single choice multinomial. That is the "
                "distribution of the counts; a single choice is categorical.",
            ),
        ),
        Section(
            "2.7",
            "Documentation",
            script="07_documentation.py",
            sabotage=(("in says(getattr(thing, name)).lower()", "in name"),),
        ),
    ),
)
