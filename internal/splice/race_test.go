//go:build race

package splice_test

func init() { rarer = 4 }
