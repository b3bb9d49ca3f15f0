# %% [markdown]
# # 2.3 Linear algebra
#
# A network is for the most part matrices that multiply vectors. A matrix can be seen in two
# ways: as a table, with a row for each example and a column for each feature, and as a motion,
# which takes every point of a space to another. The first way is what the data are, the second is
# what a layer does with them. This section needs both, and builds each product from sums
# before it lets torch do the work.

# %%
import torch

from divekit import plot

# %% [markdown]
# ## From one number to many
#
# | | letter | axes | example |
# |---|---|---|---|
# | scalar | $x$ | 0 | a temperature |
# | vector | $\mathbf{x}$ | 1 | one house: rooms, age, price |
# | matrix | $\mathbf{A}$ | 2 | many houses, a row each |
# | tensor | $\mathsf{X}$ | 3 and more | a picture: channel, height, width |
#
# Beware of "dimension": a vector with four entries is a point of a space with four dimensions, and
# a tensor with one axis. Here we say *entries* and *axes*. All numbers are in double precision, so
# that what should be equal can be seen to be.

# %%
scalar = torch.tensor(3.0, dtype=torch.float64)
x = torch.arange(4, dtype=torch.float64)
A = torch.arange(20, dtype=torch.float64).reshape(5, 4)
T = torch.arange(24, dtype=torch.float64).reshape(2, 3, 4)
for name, tensor in {"scalar": scalar, "x": x, "A": A, "T": T}.items():
    print(f"{name:<7} {tensor.dim()} axes, shape {tuple(tensor.shape)}")
print(A)

# %% [markdown]
# $a_{ij}$ stands in row $i$ and column $j$; on paper counting starts at 1, in code at 0. The
# *transpose* $\mathbf{A}^\top$ swaps the two: its entry $(i, j)$ is $a_{ji}$. A matrix that equals
# its transpose is *symmetric*, and any square matrix plus its transpose is: swapping
# turns each of the two into the other.

# %%
square = A[:4]
symmetric = square + square.T
print(symmetric)
print("equals its transpose:", torch.equal(symmetric, symmetric.T))

# %% [markdown]
# Sums and multiples go entry by entry. So does the *Hadamard product* $\mathbf{A} \odot
# \mathbf{B}$, written `A * B`; it is not the product of matrices, which comes below.

# %%
B = A.clone()
print("A ⊙ B, last row:", (A * B)[-1].tolist())

# %% [markdown]
# ## Sums along axes
#
# A sum over an axis removes it. `dim=0` adds up the rows, so one number per column is left, and
# `dim=1` one per row. With `keepdim=True` the axis stays, with length 1. Then the sum can be
# broadcast against what it was the sum of, and shares of a whole are one division.

# %%
print("all:", A.sum().item(), " mean:", A.mean().item())
print("dim=0:", A.sum(dim=0).tolist(), " mean:", A.mean(dim=0).tolist())
print("dim=1:", A.sum(dim=1).tolist(), " mean:", A.mean(dim=1).tolist())
shares = A / A.sum(dim=1, keepdim=True)  # (5, 4) / (5, 1) -> (5, 4)
print("shares of the first row:", shares[0].tolist())
print("sums so far, down the columns:", A.cumsum(dim=0), sep="\n")

# %% [markdown]
# ## The dot product
#
# Multiply entries at the same place, add up:
#
# $$\mathbf{x}^\top \mathbf{y} = \sum_{i} x_i y_i.$$
#
# With weights for $\mathbf{y}$ this is a weighted sum, the prediction of 3.1. In
# geometry it is $\lVert \mathbf{x} \rVert \lVert \mathbf{y} \rVert \cos \theta$, where $\theta$
# is the angle between the two: largest if they point the same way, zero at right angles. Attention
# (chapter 10) asks with it how well a key fits a query.


# %%
def dot(x, y):
    total = 0.0
    for a, b in zip(x, y, strict=True):
        total = total + a * b
    return total


ones = torch.ones(4, dtype=torch.float64)
print("x with ones:", dot(x, ones).item(), " by torch:", (x @ ones).item())
print("(3, 4) with (-4, 3):", dot([3, 4], [-4, 3]), "- a right angle")

# %% [markdown]
# ## A matrix times a vector
#
# $\mathbf{A}\mathbf{x}$ is one dot product for each row of $\mathbf{A}$. Read by columns, the
# same numbers say something else: $x_1$ of the first column, plus $x_2$ of the second, and so
# on. The second reading shows what the matrix does as a motion: **the columns are where the unit
# vectors land**, and all other points follow.


# %%
def times_vector(A, x):
    return torch.stack([dot(row, x) for row in A])  # (m, n), (n,) -> (m,)


by_columns = sum(entry * column for entry, column in zip(x, A.T, strict=True))
print("by rows:   ", times_vector(A, x).tolist())
print("by columns:", by_columns.tolist())
print("by torch:  ", (A @ x).tolist())

# %% [markdown]
# ## A matrix times a matrix
#
# Do that for each column of $\mathbf{B}$ and put the results side by side:
#
# $$(\mathbf{A}\mathbf{B})_{ij} = \sum_k a_{ik} b_{kj}.$$
#
# The lengths in the middle must agree and disappear: (5, 4) times (4, 3) is (5, 3).


# %%
def times_matrix(A, B):
    return torch.stack([times_vector(A, column) for column in B.T], dim=1)  # (m, k), (k, n)


generator = torch.Generator().manual_seed(0)
C = torch.randn(4, 3, generator=generator, dtype=torch.float64)
product = times_matrix(A, C)
print("largest difference from torch:", (product - A @ C).abs().max().item())
print("A times a matrix of ones:", times_matrix(A, torch.ones(4, 3, dtype=torch.float64)), sep="\n")

# %% [markdown]
# As a motion, $\mathbf{A}\mathbf{B}$ means: first $\mathbf{B}$, then $\mathbf{A}$. It stands
# nearest to what it moves. So order matters, as it does with shoes and socks. One matrix here
# stretches across, by 2; the other turns by 45 degrees. The arrows are the two columns.

# %%
half = torch.tensor(0.5, dtype=torch.float64).sqrt()
stretch = torch.tensor([[2.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
turn = half * torch.tensor([[1.0, -1.0], [1.0, 1.0]], dtype=torch.float64)
unit = torch.eye(2, dtype=torch.float64)
motions = {
    "at rest": unit,
    "stretch": stretch,
    "stretch, then turn": turn @ stretch,
    "turn, then stretch": stretch @ turn,
}
angle = torch.linspace(0, 2 * torch.pi, 361, dtype=torch.float64)
circle = torch.stack([angle.cos(), angle.sin()])  # (2, 361): a point in each column
corners = torch.tensor([[0.0, 1, 1, 0, 0], [0, 0, 1, 1, 0]], dtype=torch.float64)  # (2, 5)


# %%
def draw_motion(axes, matrix, name):
    plot.draw_line(axes, *(matrix @ circle), name)
    axes.fill(*(matrix @ corners), color=plot.COLOURS[0], alpha=0.25)
    for (across, up), colour in zip(matrix.T.tolist(), plot.COLOURS[1:3], strict=True):
        arrow = {"color": colour, "width": 1.5, "headwidth": 7, "headlength": 7}
        axes.annotate("", (across, up), (0, 0), arrowprops=arrow)
    axes.set(title=name, xlim=(-2.2, 2.2), ylim=(-1.8, 2.3), aspect="equal")
    plot.style_axes(axes)


picture = plot.new_picture(width=7.0, height=6.9)
for axes, (name, matrix) in zip(picture.subplots(2, 2).flat, motions.items(), strict=True):
    draw_motion(axes, matrix, name)
picture

# %% [markdown]
# Straight lines stay straight, the middle stays where it is, and the circle becomes an ellipse. The
# shaded square has twice its area in every picture but the first: that factor is the
# *determinant*, and it multiplies from motion to motion. For a matrix of two rows it is
# $a_{11} a_{22} - a_{12} a_{21}$. Where it is 0 the plane is pressed flat, different points land on
# one, and there is no way back: such a matrix has no inverse.


# %%
def area(points):
    """Give the signed area inside a closed line of points, (2, n): half a sum of products."""
    across, up = points
    return (across[:-1] * up[1:] - across[1:] * up[:-1]).sum() / 2


for name, matrix in motions.items():
    print(f"{name:<19} area {area(matrix @ corners):.3f}  determinant {matrix.det():.3f}")

# %% [markdown]
# ## Norms
#
# How long is a vector? As the crow flies, that is the $L_2$ norm. In a town of square blocks you
# walk the $L_1$ norm. And if only the longest side counts, it is the maximum norm.
#
# $$\lVert \mathbf{x} \rVert_2 = \sqrt{\sum_i x_i^2}, \qquad
# \lVert \mathbf{x} \rVert_1 = \sum_i |x_i|, \qquad
# \lVert \mathbf{x} \rVert_\infty = \max_i |x_i|.$$

# %%
u = torch.tensor([3.0, -4.0], dtype=torch.float64)
norms = {"L1": 1, "L2": 2, "max": torch.inf}
for name, order in norms.items():
    print(f"{name:<3} of (3, -4): {torch.linalg.vector_norm(u, ord=order).item()}")

# %% [markdown]
# To see a norm, draw all vectors of length one. For $L_2$ that is the circle. For $L_1$ there are
# corners, and they lie on the axes, where the other entry is zero. A penalty on the $L_1$ norm of
# weights therefore likes to set some to exactly zero; one on the $L_2$ norm (4.5) shrinks all.

# %%
picture = plot.new_picture(width=4.4, height=4.0)
axes = picture.subplots()
balls = {
    name: circle / torch.linalg.vector_norm(circle, ord=order, dim=0)
    for name, order in norms.items()
}
for name, ball in balls.items():
    plot.draw_line(axes, *ball, f"{name} = 1")
axes.set(xlabel="first entry", ylabel="second entry", aspect="equal")
plot.style_axes(axes)
plot.add_legend(axes)
picture

# %% [markdown]
# All three deserve the name, because three things hold. Twice the vector is twice as long. Only the
# zero vector has length zero. And a detour is never shorter than the straight way:
# $\lVert \mathbf{x} + \mathbf{y} \rVert \le \lVert \mathbf{x} \rVert + \lVert \mathbf{y} \rVert$.
# That is why none of the three shapes has a dent.
#
# A matrix can be measured as a table or as a motion. As a table, all its entries are put into one
# vector: the *Frobenius norm*. As a motion, one asks by how much it lengthens a vector at most:
# the *spectral norm*, in the picture the longest radius of the ellipse.

# %%
frobenius = torch.linalg.matrix_norm(torch.ones(4, 9, dtype=torch.float64))
print("Frobenius norm of 4 by 9 ones, the root of 36:", frobenius.item())
longest = {name: (matrix @ circle).norm(dim=0).max() for name, matrix in motions.items()}
for name, matrix in motions.items():
    spectral = torch.linalg.matrix_norm(matrix, ord=2)
    print(f"{name:<19} longest radius {longest[name]:.3f}  spectral norm {spectral:.3f}")

# %% [markdown]
# ## The check

# %%
assert A.sum() == 190 and A.mean() == 9.5, "the sum is not 190, or the mean not 9.5"
assert dot(x, ones) == 6, "the dot product with ones is not the sum"
assert dot([3, 4], [-4, 3]) == 0, "a right angle has no dot product of 0"
assert torch.equal(symmetric, symmetric.T) and not torch.equal(square, square.T), "not symmetric"
assert torch.allclose(shares.sum(dim=1), torch.ones(5, dtype=torch.float64)), "not shares"
assert torch.equal(A.cumsum(dim=0)[-1], A.sum(dim=0)), "the last sum so far is not the sum"
assert times_vector(A, x).tolist() == [14, 38, 62, 86, 110], "not what it is by hand"
assert torch.equal(by_columns, times_vector(A, x)), "rows and columns tell different stories"
assert torch.allclose(product, A @ C, rtol=0, atol=1e-12), "the sums are not torch's product"
one_by_one, at_once = turn @ (stretch @ circle), motions["stretch, then turn"] @ circle
assert torch.allclose(one_by_one, at_once), "the product is not one motion after the other"
assert not torch.allclose(turn @ stretch, stretch @ turn), "the order did not matter"
for name, matrix in motions.items():
    assert torch.isclose(area(matrix @ corners), matrix.det()), f"{name}: not the area"
    spectral = torch.linalg.matrix_norm(matrix, ord=2)
    assert abs(longest[name] - spectral) < 1e-4, f"{name}: not the longest radius"
sizes = [torch.linalg.vector_norm(u, ord=order).item() for order in norms.values()]
assert sizes == [7, 5, 4], "the norms of (3, -4) are not 7, 5 and 4"
assert frobenius == 6, "the Frobenius norm is not 6"
pairs = torch.randn(2, 1000, 5, generator=generator, dtype=torch.float64)
for name, order in norms.items():
    one, other = torch.linalg.vector_norm(pairs, ord=order, dim=-1)
    both = torch.linalg.vector_norm(pairs.sum(dim=0), ord=order, dim=-1)
    assert torch.all(both <= one + other + 1e-12), f"{name}: a detour was shorter"
print("products are sums, areas are determinants, and no detour is shorter")

# %% [markdown]
# ## Exercises
#
# 1. Show with the sum over $k$ that $(\mathbf{A}\mathbf{B})^\top = \mathbf{B}^\top
#    \mathbf{A}^\top$, and check it on matrices of your own. What do the shapes say of the order?
# 2. `A / A.sum(dim=1)` is an error, `A / A.sum(dim=0)` is not. Why? What does the second one mean,
#    and what would a square `A` have hidden from you?
# 3. Find the matrix that mirrors the plane in the line $y = x$, and the one that drops every point
#    straight down onto the first axis. What are their determinants, and which can be undone?
# 4. $(\mathbf{A}\mathbf{B})\mathbf{x} = \mathbf{A}(\mathbf{B}\mathbf{x})$. Count the
#    multiplications on both sides for matrices of 1000 by 1000. Which brackets would you set for
#    $\mathbf{a}^\top \mathbf{b} \, \mathbf{c}^\top \mathbf{d}$?
# 5. Draw the curve where $(|x_1|^p + |x_2|^p)^{1/p} = 1$ for $p = 1/2$. Which of the three
#    things fails? Find two vectors for which a detour is shorter.
#
# ## What to try next
#
# - `times_matrix` on two matrices of 100 by 100 takes 3.6 seconds here, torch 0.06 milliseconds:
#   sixty thousand times less, for the same million products. The entries differ by $10^{-14}$,
#   since the sums are made in another order.
# - The matrix [[1, 1], [1, 0]] to the tenth power, `torch.linalg.matrix_power(M, 10)`, is
#   [[89, 55], [55, 34]]: Fibonacci's numbers. Its determinant is 1, like that of every even power.
# - Two random vectors are the nearer to a right angle, the more entries they have. Of a thousand
#   pairs from `torch.randn`, the cosine without its sign is 0.63 on average for 2 entries, 0.27
#   for 10, 0.08 for 100 and 0.008 for 10,000. A key that fits a query stands out.
# - `torch.tensor([[1.0, 2.0], [2.0, 4.0]]).inverse()`: "the input matrix is singular". Draw its
#   motion: the ellipse has become a line.
# - 2.4 asks how a function changes, and answers with a vector.
