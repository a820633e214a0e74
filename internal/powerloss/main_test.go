package powerloss

import (
	"os"
	"testing"

	"zeroutils/internal/testbin"
)

func TestMain(m *testing.M) {
	testbin.Filter()
	os.Exit(m.Run())
}
