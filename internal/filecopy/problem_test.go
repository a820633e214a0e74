package filecopy

import (
	"strings"
	"testing"
)

func TestEveryProblemHasAMessageWithItsNames(t *testing.T) {
	for w := range whats {
		p := &Problem{What: w, Source: "<source>", Dest: "<dest>"}
		text := p.Error()
		switch {
		case w == Declined:
			if text != "" {
				t.Errorf("the user is told of what the user has refused: %s", text)
			}
		case text == "":
			t.Errorf("no message for %d", w)
		case strings.Contains(text, "%!"):
			t.Errorf("%s", text)
		case !strings.Contains(text, "<"):
			t.Errorf("a message without a name: %s", text)
		}
	}
}
