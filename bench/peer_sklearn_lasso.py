# scikit-learn's lasso_path on the problem that lasso_bench saved in the folder sys.argv[1]:
# prints the milliseconds of processor time of each run and writes path.bin. Debian: python3-sklearn.
import pathlib
import sys
import time

import numpy as np
from sklearn.linear_model import lasso_path

folder = pathlib.Path(sys.argv[1])
columns, square, runs, tolerance = (folder / "columns.txt").read_text().split()
columns, runs = int(columns), int(runs)
gram = np.fromfile(folder / "gram.bin").reshape(columns, columns)
correlation = np.fromfile(folder / "correlation.bin")
alphas = np.fromfile(folder / "alphas.bin")
# It wants samples, and looks at Xy and at y's norm alone where the Gram matrix is given: the
# Cholesky factor times sqrt(n) are n = columns samples with this very Gram matrix.
root = np.linalg.cholesky(gram + 1e-12 * np.trace(gram) / columns * np.eye(columns)).T
y = np.linalg.solve(root.T, correlation)
rest = float(square) - y @ y
samples = np.vstack([root, np.zeros((1, columns))])
y = np.append(y, np.sqrt(max(rest, 0.0)))
n = columns + 1
samples, y = np.asfortranarray(samples * np.sqrt(n)), y * np.sqrt(n)
gram_n, correlation_n = np.ascontiguousarray(gram * n), correlation * n
for _ in range(runs):
    start = time.process_time()
    _, path, _ = lasso_path(samples, y, alphas=alphas, precompute=gram_n, Xy=correlation_n,
                            tol=float(tolerance), max_iter=100000, copy_X=False,
                            check_input=False)
    print(1e3 * (time.process_time() - start), flush=True)
np.ascontiguousarray(path).tofile(folder / "path.bin")
