// Package bench measures the whole program: what a change costs from a channel's event to every channel told, what a kill -9 loses,
// and how small and quick the binary is. Each measurement drives real HTTP on both sides and prints its figures; correctness
// (nothing oversold, nothing lost) fails the run, times are judged against their bar only when asked, since machines are noisy.
package bench
