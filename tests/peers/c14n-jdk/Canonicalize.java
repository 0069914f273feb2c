import com.sun.org.apache.xml.internal.security.Init;
import com.sun.org.apache.xml.internal.security.c14n.Canonicalizer;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Document;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

/** Canonicalizes with the classes behind the JDK's XML Signature (Apache Santuario). */
public final class Canonicalize {
    public static void main(String[] arguments) throws Exception {
        Init.init();
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        DocumentBuilder builder = factory.newDocumentBuilder();
        builder.setErrorHandler(null);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintWriter out = new PrintWriter(
            new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8), 1 << 16));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            out.println(answer(builder, line.split(" ")));
        }
        out.flush();
    }

    private static String answer(DocumentBuilder builder, String[] parts) {
        try {
            byte[] text = Base64.getDecoder().decode(parts[4]);
            Document document = builder.parse(new ByteArrayInputStream(text));
            NodeList elements = document.getElementsByTagName("*");
            Node apex = elements.item(Integer.parseInt(parts[1]));
            if (!parts[2].equals("-")) {
                Node omitted = elements.item(Integer.parseInt(parts[2]));
                omitted.getParentNode().removeChild(omitted);
            }
            return Base64.getEncoder().encodeToString(canonical(parts[0], apex, parts[3]));
        } catch (Exception problem) {
            return "!" + problem.toString().replace('\n', ' ');
        }
    }

    private static byte[] canonical(String form, Node apex, String prefixes) throws Exception {
        ByteArrayOutputStream octets = new ByteArrayOutputStream();
        if (form.equals("exclusive")) {
            String inclusive = prefixes.equals("-") ? "" : prefixes.replace(',', ' ');
            Canonicalizer.getInstance(Canonicalizer.ALGO_ID_C14N_EXCL_OMIT_COMMENTS)
                .canonicalizeSubtree(apex, inclusive, octets);
        } else {
            Canonicalizer.getInstance(Canonicalizer.ALGO_ID_C14N_OMIT_COMMENTS).canonicalizeSubtree(apex, octets);
        }
        return octets.toByteArray();
    }
}
